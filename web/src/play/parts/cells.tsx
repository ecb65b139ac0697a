/** Things that are counted, drawn one by one in a single path: requests, jobs, slots, blocks. */
import classes from './cells.module.css';

export interface CellsProps {
  /** Cells that are drawn; beyond `limit`, the rest is a number beside them. */
  readonly count: number;
  /** Of them, those that are filled from the first on. Default: all. */
  readonly filled?: number;
  /** A name of the palette. */
  readonly color: string;
  readonly rows: number;
  readonly shape?: 'dot' | 'square';
  /** The first cell lies at the right, where things leave to. */
  readonly isFromRight?: boolean;
  readonly limit?: number;
  readonly pitch?: number;
}

const PITCH_PX = 8;
const LIMIT = 240;

export function Cells(props: CellsProps) {
  const { count, rows, isFromRight = false, limit = LIMIT, pitch = PITCH_PX } = props;
  const { filled = count, color, shape = 'dot' } = props;
  const drawn = Math.min(Math.round(count), limit);
  const columns = Math.max(1, Math.ceil(drawn / rows));
  const [width, height] = [columns * pitch, rows * pitch];
  const pathOf = (from: number, to: number) => {
    let path = '';
    for (let i = from; i < to; i++) {
      const along = (Math.floor(i / rows) + 0.5) * pitch;
      const x = isFromRight ? width - along : along;
      path += `M${x} ${((i % rows) + 0.5) * pitch}h0`;
    }
    return path;
  };
  const split = Math.min(Math.round(filled), drawn);
  const stroke = { strokeWidth: pitch - 2.5, strokeLinecap: shape === 'dot' ? 'round' : 'square' };
  const style = shape === 'dot' ? stroke : { ...stroke, strokeWidth: pitch / 2 };
  return (
    <span className={classes['cells']}>
      {count > limit && isFromRight && (
        <span className={classes['more']}>+{moreOf(count, limit)}</span>
      )}
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
        <path d={pathOf(split, drawn)} className={classes['empty']} {...(style as object)} />
        <path d={pathOf(0, split)} className={classes[color]} {...(style as object)} />
      </svg>
      {count > limit && !isFromRight && (
        <span className={classes['more']}>+{moreOf(count, limit)}</span>
      )}
    </span>
  );
}

const moreOf = (count: number, limit: number): string => {
  return Math.round(count - limit).toLocaleString('en');
};
