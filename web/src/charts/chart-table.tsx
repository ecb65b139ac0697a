/** The numbers behind a chart, for those who do not see it or want to copy them. */
import { useState } from 'react';
import { type Curve, formatValue } from './curve.js';
import classes from './time-chart.module.css';

const ROWS_MAX = 200;

export interface ChartTableProps {
  readonly title: string;
  readonly curves: readonly Curve[];
}

export function ChartTable(props: ChartTableProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className={classes['table']} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Table of {props.title}</summary>
      {isOpen && <Rows {...props} />}
    </details>
  );
}

function Rows({ curves }: ChartTableProps) {
  const positions = curves[0].track.positions();
  const columns = curves.map(({ track }) => track.values());
  const first = Math.max(0, positions.length - ROWS_MAX);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section className={classes['scroll']} tabIndex={0} aria-label="Values by step">
      <table>
        <thead>
          <tr>
            <th scope="col">step</th>
            {curves.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {positions.slice(first).map((position, row) => (
            <tr key={position}>
              <th scope="row">{position}</th>
              {columns.map((column, i) => {
                const value = column[first + row];
                return <td key={curves[i].name}>{value === null ? '' : formatValue(value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
