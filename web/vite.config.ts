/** The web app's build. `npm run build` runs it by scripts/lib/targets.mjs, into dist/web. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Puts the committed digests beside the page, which the page Verify compares with. */
const goldens: Plugin = {
  name: 'goldens',
  generateBundle() {
    const { tasks } = JSON.parse(readFileSync(pathOf('../tests/vectors/goldens.json'), 'utf8'));
    this.emitFile({ type: 'asset', fileName: 'goldens.json', source: JSON.stringify(tasks) });
  },
};

export default defineConfig({
  root: pathOf('.'),
  // Relative to the page's <base>, so that the app works below any path of a proxy.
  base: './',
  plugins: [react(), goldens],
  worker: { format: 'es' },
  build: {
    outDir: pathOf('../dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    // An inlined asset is a data: address, which the content security policy forbids.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
