/** The frame of every page: the name, the ways to the other pages, the theme. */
import { Link, Outlet } from '@tanstack/react-router';
import { useId } from 'react';
import classes from './shell.module.css';
import { chooseTheme, type ThemeChoice, useThemeChoice } from './theme.js';

export function Shell() {
  return (
    <>
      <a className={classes['skip']} href="#main">
        To the content
      </a>
      <header className={classes['header']}>
        <Link to="/" className={classes['name']}>
          InfraGym
        </Link>
        <nav className={classes['nav']} aria-label="Pages">
          <Link to="/play" activeProps={{ 'aria-current': 'page' }}>
            Playground
          </Link>
          <Link to="/verify" activeProps={{ 'aria-current': 'page' }}>
            Verify
          </Link>
        </nav>
        <ThemeSelect />
      </header>
      <main id="main" className={classes['main']}>
        <Outlet />
      </main>
    </>
  );
}

function ThemeSelect() {
  const choice = useThemeChoice();
  const id = useId();
  return (
    <div className={classes['theme']}>
      <label htmlFor={id}>Theme</label>
      <select
        id={id}
        value={choice}
        onChange={(event) => chooseTheme(event.target.value as ThemeChoice)}
      >
        <option value="system">system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </div>
  );
}
