/** Requests that arrive, and the instances that share them, each filled by its CPU utilisation. */
import type { PictureProps } from '../../family.js';
import type { Game } from '../../game.js';
import { Cells } from '../../parts/cells.js';
import { Arrow, Flow, Stage } from '../../parts/flow.js';
import { configOf, type InstanceType } from './config.js';
import classes from './picture.module.css';

export function Picture({ game, row }: PictureProps) {
  const at = (name: string) => game.metrics.at(row, name);
  const cpu = at('cpu');
  const rate = Math.round(at('request_rate'));
  const { utilization_limit: limit, target_cpu_range: target } = configOf(game);
  const isBroken = Math.max(cpu, at('memory')) > limit;
  const says = `${rate} requests on ${at('instances')} instances, CPU at ${cpu.toFixed(0)} %`;
  const note = isBroken
    ? `overloaded: above ${limit} % the service breaks down`
    : `instances, filled by CPU; the marks are ${target[0]} and ${target[1]} %`;
  return (
    <Flow label={says}>
      <Stage note={`${rate} requests in this step`}>
        <Cells count={rate} color="purple" rows={6} isFromRight />
      </Stage>
      <Arrow text={`${at('latency').toFixed(1)} each`} />
      <Stage note={note} isWide>
        {podsOf(game, row).map((pod, i) => (
          <Pod key={keyOf(i)} {...pod} cpu={cpu} target={target} isBroken={isBroken} />
        ))}
      </Stage>
    </Flow>
  );
}

/** Instances have no identity but their place. */
const keyOf = (place: number): string => `instance ${place}`;

interface PodFacts {
  readonly type: InstanceType;
  readonly isStarting: boolean;
}

/** One entry an instance, by type; those that start yet are the last. */
function podsOf(game: Game, row: number): readonly PodFacts[] {
  const { instance_types: types } = configOf(game);
  const { observations, metrics } = game;
  const isFleet = observations.has('instances_type_0');
  const pods = types.flatMap((type, i) => {
    const count = isFleet
      ? observations.at(row, `instances_type_${i}`)
      : metrics.at(row, 'instances');
    return Array.from({ length: count }, () => ({ type, isStarting: false }));
  });
  const starting = metrics.at(row, 'starting_instances');
  return pods.map((pod, i) => ({ ...pod, isStarting: i >= pods.length - starting }));
}

interface PodProps extends PodFacts {
  readonly cpu: number;
  readonly target: readonly [number, number];
  readonly isBroken: boolean;
}

function Pod({ type, isStarting, cpu, target: [low, high], isBroken }: PodProps) {
  const size = 34 + 10 * Math.log2(type.capacity);
  const fill = isStarting ? 0 : Math.min(cpu, 100);
  const state = isStarting ? 'starting' : isBroken ? 'broken' : cpu > high ? 'busy' : 'serving';
  const y = (percent: number) => 1 + (size - 2) * (1 - percent / 100);
  const marks = [low, high].map((mark) => `M1 ${y(mark)}h5M${size - 1} ${y(mark)}h-5`);
  const inner = size - 2;
  return (
    <svg className={classes[state]} width={size} height={size} aria-hidden="true">
      {isStarting && <path d={hatch(size)} className={classes['hatch']} />}
      <rect className={classes['fill']} x={1} y={y(fill)} width={inner} height={y(0) - y(fill)} />
      <path className={classes['mark']} d={marks.join('')} />
      <rect className={classes['frame']} x={1} y={1} width={inner} height={inner} rx={3} />
    </svg>
  );
}

/** Diagonal lines across a square. */
function hatch(size: number): string {
  const lines: string[] = [];
  for (let at = 8; at < 2 * size; at += 8) {
    const from = Math.min(at, size);
    const to = Math.max(at - size, 0);
    lines.push(`M${to} ${from}L${from} ${to}`);
  }
  return lines.join('');
}
