/** A GPU: a card with two fans, whose fill is its state. */
import classes from './gpu.module.css';

export type GpuState = 'busy' | 'idle' | 'booting';

export interface GpuProps {
  readonly state: GpuState;
}

export function Gpu({ state }: GpuProps) {
  return (
    <svg className={classes[state]} width={40} height={24} viewBox="0 0 40 24" aria-hidden="true">
      <rect x={1} y={1} width={38} height={19} rx={3} />
      {state === 'booting' ? (
        <path d="M6 20L16 1M14 20L24 1M22 20L32 1M30 20L38 5" />
      ) : (
        <path d="M7 10.5a5 5 0 1 0 10 0a5 5 0 1 0 -10 0M23 10.5a5 5 0 1 0 10 0a5 5 0 1 0 -10 0" />
      )}
      <path d="M8 20v3M12 20v3M16 20v3M20 20v3M24 20v3" />
    </svg>
  );
}
