/** Imports that are not modules, as Vite serves them. */
declare module '*.module.css' {
  const classes: Readonly<Record<string, string>>;
  export default classes;
}
declare module '*.css';
declare module '@fontsource-variable/inter/wght.css';

interface ImportMeta {
  readonly env: { readonly DEV: boolean; readonly PROD: boolean };
  /** Modules or addresses of the files that patterns match, by path. */
  glob<T>(patterns: string | string[], options: object): Readonly<Record<string, T>>;
}
