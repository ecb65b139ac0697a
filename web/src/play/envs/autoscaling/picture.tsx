/** Requests that arrive, and the instances that share them, each filled by its CPU utilisation. */
import type { PictureProps } from '../../family.js';
import type { Game } from '../../game.js';
import { configOf, type InstanceType } from './config.js';
import classes from './picture.module.css';

/** Requests that are drawn one by one. */
const DOTS_MAX = 240;
const DOTS_IN_COLUMN = 6;
const DOT_PX = 7;

export function Picture({ game, row }: PictureProps) {
  const at = (name: string) => game.metrics.at(row, name);
  const cpu = at('cpu');
  const rate = Math.round(at('request_rate'));
  const { utilization_limit: limit, target_cpu_range: target } = configOf(game);
  const isBroken = Math.max(cpu, at('memory')) > limit;
  const perInstance = at('latency').toFixed(1);
  const says = `${rate} requests on ${at('instances')} instances, CPU at ${cpu.toFixed(0)} %`;
  return (
    <div className={classes['picture']} role="img" aria-label={says}>
      <div className={classes['arrivals']}>
        <Dots count={rate} />
        <span className={classes['note']}>{rate} requests in this step</span>
      </div>
      <div className={classes['arrow']}>
        <span>{perInstance} each</span>
        <svg viewBox="0 0 48 10" width="48" height="10" aria-hidden="true">
          <path d="M0 5h44M39 1l5 4-5 4" fill="none" stroke="currentColor" />
        </svg>
      </div>
      <div className={classes['pool']}>
        <div className={classes['pods']}>
          {podsOf(game, row).map((pod, i) => (
            <Pod key={i} {...pod} cpu={cpu} target={target} isBroken={isBroken} />
          ))}
        </div>
        <span className={classes['note']}>
          {isBroken
            ? `overloaded: above ${limit} % the service breaks down`
            : `instances, filled by CPU; the marks are ${target[0]} and ${target[1]} %`}
        </span>
      </div>
    </div>
  );
}

function Dots({ count }: { readonly count: number }) {
  const drawn = Math.min(count, DOTS_MAX);
  const columns = Math.max(1, Math.ceil(drawn / DOTS_IN_COLUMN));
  const [width, height] = [columns * DOT_PX, DOTS_IN_COLUMN * DOT_PX];
  return (
    <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
      {Array.from({ length: drawn }, (_, i) => (
        <circle
          key={i}
          className={classes['dot']}
          // From the right, where they go.
          cx={width - (Math.floor(i / DOTS_IN_COLUMN) + 0.5) * DOT_PX}
          cy={((i % DOTS_IN_COLUMN) + 0.5) * DOT_PX}
          r={2.4}
        />
      ))}
    </svg>
  );
}

interface PodFacts {
  readonly type: InstanceType;
  readonly isStarting: boolean;
}

/** One entry an instance, by type; those that start yet are the last of the first type. */
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
  return (
    <svg className={classes[state]} width={size} height={size} aria-hidden="true">
      <title>{`${type.name}, ${isStarting ? 'starting' : `CPU ${cpu.toFixed(0)} %`}`}</title>
      {isStarting && <path d={hatch(size)} className={classes['hatch']} />}
      <rect
        className={classes['fill']}
        x={1}
        y={y(fill)}
        width={size - 2}
        height={y(0) - y(fill)}
      />
      {[low, high].map((mark) => (
        <path
          key={mark}
          className={classes['mark']}
          d={`M1 ${y(mark)}h5M${size - 1} ${y(mark)}h-5`}
        />
      ))}
      <rect className={classes['frame']} x={1} y={1} width={size - 2} height={size - 2} rx={3} />
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
