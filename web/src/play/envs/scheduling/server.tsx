/** A server in its rack: a button that takes the chosen job, filled by its load. */
import type { JobState, ServerState } from './config.js';
import classes from './picture.module.css';

export interface ServerProps {
  readonly server: ServerState;
  /** The chosen job, which is shown as it would lie on top. */
  readonly job: JobState | null;
  /** Null where the job does not fit, or none is chosen. */
  readonly onPlace: (() => void) | null;
  /** Null where it can neither sleep nor wake. */
  readonly onToggle: (() => void) | null;
}

export function Server({ server, job, onPlace, onToggle }: ServerProps) {
  const { index, tier, capacity, cpu, mem, state, nextEvent } = server;
  const load = `CPU ${percent(cpu)}, memory ${percent(mem)}`;
  const name = `server ${index + 1}, ${tier}, ${state}, ${load}`;
  const wouldTake = onPlace !== null && job !== null ? job.cpu / capacity : 0;
  return (
    <div className={`${classes['server']} ${classes[state]}`}>
      <button
        type="button"
        className={classes['place']}
        disabled={onPlace === null}
        aria-label={`Place on ${name}`}
        title={`${name}${nextEvent > 0 ? `; next event in ${nextEvent} steps` : ''}`}
        onClick={() => onPlace?.()}
      >
        <Bars cpu={cpu} mem={mem} extra={wouldTake} height={heightOf(capacity)} />
        <span className={classes['index']}>{index + 1}</span>
      </button>
      {onToggle !== null && (
        <button
          type="button"
          className={classes['toggle']}
          aria-label={`${state === 'asleep' ? 'Wake' : 'Send to sleep'} server ${index + 1}`}
          onClick={onToggle}
        >
          {state === 'asleep' ? 'wake' : 'sleep'}
        </button>
      )}
    </div>
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** Larger servers are higher. */
const heightOf = (capacity: number): number => Math.round(Math.min(28 + capacity / 4, 72));

interface BarsProps {
  readonly cpu: number;
  readonly mem: number;
  readonly extra: number;
  readonly height: number;
}

function Bars({ cpu, mem, extra, height }: BarsProps) {
  const y = (share: number) => height * (1 - Math.min(share, 1));
  return (
    <svg width={32} height={height} viewBox={`0 0 32 ${height}`} aria-hidden="true">
      <rect className={classes['ghost']} x={2} y={y(cpu + extra)} width={15} height={height} />
      <rect className={classes['cpu']} x={2} y={y(cpu)} width={15} height={height} />
      <rect className={classes['mem']} x={19} y={y(mem)} width={11} height={height} />
      <rect className={classes['frame']} x={0.75} y={0.75} width={30.5} height={height - 1.5} />
    </svg>
  );
}
