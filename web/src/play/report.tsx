/** The grading report: what an episode came to, and what each number means. */
import type { GradeReport } from '../worker/messages.js';
import type { GradeLine } from './family.js';
import classes from './report.module.css';

export interface ReportProps {
  readonly grade: GradeReport;
  readonly lines: readonly GradeLine[];
}

export function Report({ grade, lines }: ReportProps) {
  const { score, breakdown, feedback, isFinished, digest } = grade;
  const passed = breakdown['passed'];
  return (
    <section className={classes['report']} aria-labelledby="report-title">
      <h2 id="report-title">{isFinished ? 'Grading report' : 'Grading report so far'}</h2>
      <div className={classes['head']}>
        <span className={classes['score']}>{score.toFixed(3)}</span>
        <span className={classes['of']}>score, 0 to 1{isFinished ? '' : ', unfinished'}</span>
        {passed !== undefined && isFinished && (
          <span className={passed === 1 ? classes['passed'] : classes['failed']}>
            {passed === 1 ? '✓ passed' : '✗ failed'}
          </span>
        )}
      </div>
      <p>{feedback}</p>
      <dl className={classes['lines']}>
        {lines.map((line) => (
          <Line key={line.entry} line={line} value={breakdown[line.entry]} />
        ))}
      </dl>
      <p className={classes['digest']}>
        State after the last step <code>{digest}</code>: the same on every machine and backend.
      </p>
    </section>
  );
}

function Line({ line, value }: { readonly line: GradeLine; readonly value: number | undefined }) {
  if (value === undefined) return null;
  const { name, meaning, digits = 3, unit = '' } = line;
  return (
    <div className={classes['line']}>
      <dt>{name}</dt>
      <dd className={classes['value']}>
        {value.toFixed(digits)} {unit}
      </dd>
      <dd className={classes['meaning']}>{meaning}</dd>
    </div>
  );
}
