/** Jobs that wait, the GPUs that take one each a step, and the money that is left. */
import type { PictureProps } from '../../family.js';
import { Cells } from '../../parts/cells.js';
import { Arrow, Flow, Stage } from '../../parts/flow.js';
import { Gauge } from '../../parts/gauge.js';
import { configOf } from './config.js';
import { Gpu, type GpuState } from './gpu.js';

export function Picture({ game, row }: PictureProps) {
  const at = (name: string) => game.metrics.at(row, name);
  const { budget_usd: budget } = configOf(game);
  const running = at('running_gpus');
  const booting = at('booting_gpus');
  const busy = Math.min(at('processed'), running);
  const left = at('budget_usd');
  const says = `${at('queue')} jobs wait; ${running} GPUs run, ${busy} of them busy`;
  const states = [
    ...Array.from({ length: running }, (_, i): GpuState => (i < busy ? 'busy' : 'idle')),
    ...Array.from({ length: booting }, (): GpuState => 'booting'),
  ];
  return (
    <Flow label={says}>
      <Stage note={`${at('queue')} jobs wait; ${at('arrivals')} came in this step`}>
        <Cells count={at('queue')} color="orange" rows={6} isFromRight limit={120} />
      </Stage>
      <Arrow text={`${at('processed')} finished`} />
      <Stage note="GPUs: filled is busy, empty is idle and paid, hatched is booting" isWide>
        {states.map((state, i) => (
          <Gpu key={keyOf(i)} state={state} />
        ))}
      </Stage>
      <Stage note={`this step cost $${at('cost_usd').toFixed(2)}`}>
        <Gauge
          name="Budget"
          share={left / budget}
          text={`$${left.toFixed(0)}`}
          state={left < 0.1 * budget ? 'wrong' : 'good'}
        />
      </Stage>
    </Flow>
  );
}

/** GPUs have no identity but their place. */
const keyOf = (place: number): string => `gpu ${place}`;
