/** A problem: its title, and what would be right. */
import classes from './problem.module.css';

export interface ProblemProps {
  readonly title: string;
  readonly message: string;
}

export function Problem({ title, message }: ProblemProps) {
  return (
    <div className={classes['problem']} role="alert">
      <strong>{title}</strong>
      <p>{message}</p>
    </div>
  );
}
