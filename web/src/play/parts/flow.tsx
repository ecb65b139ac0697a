/** The parts of a picture from left to right, each with a line that says what it is. */
import type { ReactNode } from 'react';
import classes from './flow.module.css';

export function Flow({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ReactNode;
}) {
  return (
    <div className={classes['flow']} role="img" aria-label={label}>
      {children}
    </div>
  );
}

export interface StageProps {
  readonly note: string;
  readonly isWide?: boolean;
  readonly children: ReactNode;
}

export function Stage({ note, isWide = false, children }: StageProps) {
  return (
    <div className={isWide ? classes['wide'] : classes['stage']}>
      <div className={classes['things']}>{children}</div>
      <span className={classes['note']}>{note}</span>
    </div>
  );
}

export function Arrow({ text }: { readonly text: string }) {
  return (
    <div className={classes['arrow']}>
      <span>{text}</span>
      <svg viewBox="0 0 48 10" width="48" height="10" aria-hidden="true">
        <path d="M0 5h44M39 1l5 4-5 4" fill="none" stroke="currentColor" />
      </svg>
    </div>
  );
}
