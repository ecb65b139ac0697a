/** A button that may have a key. */
import { type ReactNode, useEffect, useRef } from 'react';
import classes from './button.module.css';

export interface ButtonProps {
  readonly children: ReactNode;
  readonly onPress: () => void;
  readonly isDisabled?: boolean;
  readonly kind?: 'plain' | 'main' | 'quiet';
  /** A key that presses it while nothing is typed into a field. */
  readonly shortcut?: string;
  readonly title?: string;
  readonly isPressed?: boolean;
}

export function Button(props: ButtonProps) {
  const {
    children,
    onPress,
    isDisabled = false,
    kind = 'plain',
    shortcut,
    title,
    isPressed,
  } = props;
  useShortcut(isDisabled ? undefined : shortcut, onPress);
  return (
    <button
      type="button"
      className={`${classes['button']} ${classes[kind]}`}
      disabled={isDisabled}
      onClick={onPress}
      title={title}
      aria-keyshortcuts={shortcut}
      aria-pressed={isPressed}
    >
      {children}
      {shortcut !== undefined && <kbd className={classes['key']}>{shortcut.toUpperCase()}</kbd>}
    </button>
  );
}

const TYPED_INTO = 'input:not([type=range]), textarea, select, [contenteditable]';

/** Calls back when a key is pressed outside of fields, without Ctrl, Alt or Meta. */
export function useShortcut(key: string | undefined, onPress: () => void): void {
  const latest = useRef(onPress);
  latest.current = onPress;
  useEffect(() => {
    if (key === undefined) return;
    const listener = (event: KeyboardEvent) => {
      const isChord = event.ctrlKey || event.altKey || event.metaKey;
      if (event.key !== key || isChord || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.matches(TYPED_INTO)) return;
      event.preventDefault();
      latest.current();
    };
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, [key]);
}
