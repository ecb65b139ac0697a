/** A bar that fills: how much of something there is, with marks that mean something. */
import classes from './gauge.module.css';

export interface GaugeProps {
  readonly name: string;
  /** 0 to 1; beyond 1 it is full. */
  readonly share: number;
  readonly text: string;
  readonly state?: 'good' | 'neutral' | 'wrong';
  /** Shares at which there is a mark. */
  readonly marks?: readonly number[];
}

export function Gauge({ name, share, text, state = 'neutral', marks = [] }: GaugeProps) {
  const width = `${100 * Math.max(0, Math.min(share, 1))}%`;
  return (
    <div className={classes['gauge']}>
      <span className={classes['name']}>{name}</span>
      <span className={classes['text']}>{text}</span>
      <div className={classes['bar']}>
        <div className={`${classes['fill']} ${classes[state]}`} style={{ width }} />
        {marks.map((mark) => (
          <div key={mark} className={classes['mark']} style={{ left: `${100 * mark}%` }} />
        ))}
      </div>
    </div>
  );
}
