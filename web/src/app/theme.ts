/** Light and dark, and the colours that canvases need as values. */
import { useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark';
export type ThemeChoice = Theme | 'system';

const KEY = 'infragym-theme';
const isDark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

/** Names of tokens.css that are painted on canvases. */
const PAINTED = [
  'ink',
  'ink-2',
  'line',
  'target',
  'target-ink',
  'wrong',
  'blue',
  'orange',
  'green',
  'purple',
  'sky',
  'vermilion',
  'grey',
] as const;

export function themeChoice(): ThemeChoice {
  const stored = localStorage.getItem(KEY);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

export function chooseTheme(choice: ThemeChoice): void {
  localStorage.setItem(KEY, choice);
  apply();
}

function currentTheme(): Theme {
  const choice = themeChoice();
  if (choice !== 'system') return choice;
  return isDark.matches ? 'dark' : 'light';
}

function apply(): void {
  document.documentElement.dataset['theme'] = currentTheme();
  for (const listener of listeners) listener();
}

isDark.addEventListener('change', apply);
// Another tab has chosen.
addEventListener('storage', apply);
apply();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The theme that is shown. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, currentTheme);
}

export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(subscribe, themeChoice);
}

/** The theme's colours by their names in tokens.css. */
export function palette(): Readonly<Record<string, string>> {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(PAINTED.map((name) => [name, style.getPropertyValue(`--${name}`)]));
}
