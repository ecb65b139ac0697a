/** The queue, the batch that is taken from it, and the GPU with its KV cache and memory. */
import type { PictureProps } from '../../family.js';
import { Cells } from '../../parts/cells.js';
import { Arrow, Flow, Stage } from '../../parts/flow.js';
import { Gauge } from '../../parts/gauge.js';
import { configOf, TIERS } from './config.js';

/** KV blocks that are drawn for the whole cache. */
const BLOCKS = 96;

export function Picture({ game, row }: PictureProps) {
  const at = (name: string) => game.metrics.at(row, name);
  const queue = game.observations.at(row, 'queue_depth');
  const batch = at('applied_batch_size');
  const served = at('served');
  const isApart = at('applied_prefill_disagg') === 1;
  const says = `${queue} requests wait, ${served} served in a batch of at most ${batch}`;
  return (
    <Flow label={says}>
      <Stage note={`${queue.toFixed(0)} wait; ${at('arrivals').toFixed(0)} came in this step`}>
        <Cells count={queue} color="orange" rows={8} isFromRight limit={160} pitch={7} />
      </Stage>
      <Arrow text={`${served.toFixed(0)} served`} />
      <Stage
        note={`batch: ${served.toFixed(0)} of ${batch} places${isApart ? '; prefill apart' : ''}`}
      >
        <Cells
          count={batch}
          filled={Math.min(served, batch)}
          color="green"
          rows={8}
          shape="square"
          limit={256}
        />
      </Stage>
      <KvCache game={game} row={row} />
      <Stage note={`${TIERS[at('applied_quant_tier')]}, ${at('applied_spec_length')} draft tokens`}>
        <Memory game={game} row={row} />
      </Stage>
    </Flow>
  );
}

/** The whole cache as blocks: reserved ones are drawn, used ones filled. */
function KvCache({ game, row }: PictureProps) {
  const budget = game.metrics.at(row, 'applied_kv_budget');
  const usage = game.metrics.at(row, 'kv_cache_usage_ratio');
  const evicted = game.metrics.at(row, 'eviction_events');
  const reserved = Math.round(BLOCKS * budget);
  const loss = evicted > 0 ? `; ${evicted.toFixed(0)} evicted` : '';
  return (
    <Stage note={`KV blocks: ${(100 * budget).toFixed(0)} % reserved${loss}`}>
      <Cells
        count={reserved}
        filled={Math.round(reserved * Math.min(usage, 1))}
        color={evicted > 0 ? 'wrong' : 'blue'}
        rows={8}
        shape="square"
      />
    </Stage>
  );
}

function Memory({ game, row }: PictureProps) {
  const { max_memory_gb: most } = configOf(game);
  const used = game.metrics.at(row, 'gpu_memory_gb');
  const isFull = game.metrics.at(row, 'oom') === 1;
  // Measured tables carry no limit of their own; their devices have 40 or 80 GB.
  const device = most ?? (game.setup.task.includes('80gb') ? 80 : 40);
  const gpus = game.metrics.at(row, 'applied_prefill_disagg') === 1 ? 2 : 1;
  return (
    <Gauge
      name={gpus === 2 ? 'Memory of 2 GPUs' : 'GPU memory'}
      share={used / (device * gpus)}
      text={`${used.toFixed(1)} GB`}
      state={isFull ? 'wrong' : 'neutral'}
    />
  );
}
