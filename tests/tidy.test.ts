/** Rules about the repository itself: sizes, directions, completeness, words that may not stay. */
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { describe, expect, it } from 'vitest';
import {
  files,
  findAll,
  root,
  rustFiles,
  scriptFiles,
  textOf,
  writtenFiles,
} from './tidy/files.js';
import {
  forbidden,
  importCircles,
  importedPackages,
  importProblems,
  reachableFrom,
} from './tidy/imports.js';
import { rustFunctions, shippedRust } from './tidy/rust.js';
import {
  filesOfStem,
  filesWithoutSpec,
  missingStepFunctions,
  stems,
  unknownParts,
} from './tidy/stems.js';
import { importsOf, inexactUses, longFunctions } from './tidy/typescript.js';

const lineColumnsMax = 100;
const functionLinesMax = 70;
const fileLinesMax = 450;

const codeFiles = [...scriptFiles, ...rustFiles];

function linesOf(path: string): string[] {
  return textOf(path).split('\n');
}

describe('sizes', () => {
  it(`keeps lines within ${lineColumnsMax} columns`, () => {
    const found = writtenFiles.flatMap((path) =>
      linesOf(path).flatMap((line, index) => {
        // A Markdown table row or a web address cannot be broken.
        const isWhole = path.endsWith('.md') && /^\s*\||https?:\/\//.test(line);
        const isLong = [...line].length > lineColumnsMax && !isWhole;
        return isLong ? [`${path}:${index + 1}`] : [];
      }),
    );
    expect(found).toEqual([]);
  });

  it(`keeps functions within ${functionLinesMax} lines`, () => {
    const inRust = rustFiles.flatMap((path) =>
      rustFunctions(textOf(path))
        .filter(({ numLines }) => numLines > functionLinesMax)
        .map(({ name, line, numLines }) => `${path}:${line}: ${name}, ${numLines} lines`),
    );
    const inScripts = scriptFiles.flatMap((path) => longFunctions(path, functionLinesMax));
    expect([...inScripts, ...inRust]).toEqual([]);
  });

  it(`keeps code files within ${fileLinesMax} lines`, () => {
    const found = codeFiles.filter((path) => linesOf(path).length - 1 > fileLinesMax);
    expect(found).toEqual([]);
  });
});

describe('import directions', () => {
  it('lets every file import only what its layer may', () => {
    const sources = scriptFiles.filter((path) => /^(src|assembly|web)\//.test(path));
    expect(sources).not.toEqual([]);
    expect(importProblems(sources)).toEqual([]);
  });

  it('knows a wrong direction when it sees one', () => {
    expect(forbidden('src/reference/batch.ts', 'src/program/layout.ts')).toBeUndefined();
    expect(forbidden('src/reference/batch.ts', 'src/compile/samplers.ts')).toMatch('only');
    expect(forbidden('src/policies/index.ts', 'src/api/env.ts')).toMatch('src/library.ts');
    expect(forbidden('src/policies/index.ts', 'src/index.ts')).toMatch('below');
    expect(forbidden('src/cli/main.ts', 'src/library.ts')).toMatch('src/index.ts');
    expect(forbidden('src/api/env.ts', 'src/cli/main.ts')).toMatch('below');
    expect(forbidden('src/api/env.ts', 'tests/api/env.test.ts')).toMatch('shipped');
    expect(forbidden('src/attic/env.ts', 'src/api/env.ts')).toMatch('no place');
    expect(forbidden('assembly/batch.ts', 'src/generated/serving.ts')).toMatch('only assembly');
  });

  it('knows no circle', () => {
    const sources = scriptFiles.filter((path) => /^(src|assembly|web|bench|scripts)\//.test(path));
    expect(importCircles(sources)).toEqual([]);
    const circle: Record<string, string[]> = { a: ['b', 'd'], b: ['c'], c: ['a'], d: [] };
    expect(importCircles(['b'], (path) => circle[path]!)).toEqual(['a → b → c']);
  });

  it('keeps the top of src to the faces, the library and the backend contract', () => {
    const top = files.filter((path) => /^src\/[^/]+$/.test(path));
    const names = ['backend', 'index.browser', 'index', 'library'];
    expect(top.sort()).toEqual(names.map((name) => `src/${name}.ts`));
  });

  it('keeps Node modules out of the browser entry', () => {
    const found = [...reachableFrom('src/index.browser.ts')].flatMap((path) =>
      importsOf(path)
        .filter((name) => name.startsWith('node:'))
        .map((name) => `${path} imports ${name}`),
    );
    expect(found).toEqual([]);
  });

  it('declares every package that the library imports', () => {
    const { dependencies } = JSON.parse(textOf('package.json')) as {
      dependencies: Record<string, string>;
    };
    const found = [...importedPackages()].filter((name) => !(name in dependencies));
    expect(found).toEqual([]);
  });

  it('gives the core no dependency but rayon, and bindings none of ours but the crates', () => {
    const core = dependenciesOf('crates/core/Cargo.toml');
    expect(core.filter((name) => name !== 'rayon')).toEqual([]);
    for (const binding of ['node', 'wasm']) {
      const names = dependenciesOf(`bindings/${binding}/Cargo.toml`);
      const ours = names.filter((name) => name.startsWith('infragym'));
      expect(['infragym-core', 'infragym-learn']).toEqual(expect.arrayContaining(ours));
    }
  });
});

/** The crates in a manifest's `[dependencies]`, whatever their form. */
function dependenciesOf(manifest: string): string[] {
  const sections = textOf(manifest).split(/^(?=\[)/m);
  const section = sections.find((text) => text.startsWith('[dependencies]')) ?? '';
  return [...section.matchAll(/^([\w-]+)(?:\.\w+)?\s*=/gm)].map((match) => match[1]!);
}

describe('comments', () => {
  it('say what they are about by a noun phrase or a verb', () => {
    const pattern = /(\/\*\*|\n[ \t]*\*|\/\/[/!]?) What .*/;
    expect(codeFiles.flatMap((path) => findAll(path, textOf(path), pattern))).toEqual([]);
  });
});

describe('environments', () => {
  it('have a spec', () => {
    expect(stems).not.toEqual([]);
    expect(filesWithoutSpec()).toEqual([]);
  });

  it.each(stems)('%s has all its files', (stem) => {
    const missing = filesOfStem(stem).filter((path) => !files.includes(path));
    expect(missing).toEqual([]);
  });

  it('cut their dynamics into parts of one list of names', () => {
    expect(unknownParts()).toEqual([]);
  });

  it('stand in the README', () => {
    const rows = [...textOf('README.md').matchAll(/^\| `(\w+)` \| [^|]*\? \|/gm)];
    expect(rows.map((row) => row[1]!).sort()).toEqual([...stems].sort());
  });

  it.each(stems)('%s names the parts of its step alike in every language', (stem) => {
    expect(missingStepFunctions(stem)).toEqual([]);
  });
});

describe('determinism', () => {
  const exactTrees = /^(assembly|src\/(compile|program|reference|train\/learner))\//;

  it('uses only exact operations where results are made', () => {
    const sources = scriptFiles.filter((path) => exactTrees.test(path));
    expect(sources).not.toEqual([]);
    expect(sources.flatMap(inexactUses)).toEqual([]);
  });

  it('takes no minimum, maximum or relaxed operation of WebAssembly on floats', () => {
    const sources = scriptFiles.filter((path) => path.startsWith('assembly/'));
    const pattern = /\b(f32|f64|f32x4|f64x2)\.(min|max)\b|\brelaxed_\w+/;
    expect(sources.flatMap((path) => findAll(path, textOf(path), pattern))).toEqual([]);
  });

  it('takes nothing inexact or fused from the standard library in the core', () => {
    const sources = rustFiles.filter((path) => /^crates\/(core|learn)\/src\//.test(path));
    expect(sources).not.toEqual([]);
    const names =
      'exp|exp2|exp_m1|ln|ln_1p|log|log2|log10|powf|powi|cbrt|hypot|' +
      'sin|cos|tan|sinh|cosh|tanh|asin|acos|atan|atan2|sin_cos|mul_add';
    const pattern = new RegExp(`(\\.|\\bf(32|64)::)(${names})\\(|\\w*fn?m(add|sub)_p[sd]\\b`);
    const found = sources.flatMap((path) => findAll(path, shippedRust(textOf(path)), pattern));
    expect(found).toEqual([]);
  });
});

describe('words that may not stay', () => {
  // Written so that this file does not contain what it looks for.
  const unfinished = /\bTO[D]O\b|\bFIX[M]E\b|\bX[X]X\b|\bto[d]o!|\bunimplemente[d]!/;
  const escapes = /\.onl[y]\(|\bas an[y]\b|@ts-[i]gnore|@ts-[n]ocheck/;
  const machinePaths = /(?<![\w.:/-])\/(work|tmp|root)\//;

  it('leaves nothing unfinished', () => {
    expect(writtenFiles.flatMap((path) => findAll(path, textOf(path), unfinished))).toEqual([]);
  });

  it('leaves no way around the type checker or the other tests', () => {
    expect(codeFiles.flatMap((path) => findAll(path, textOf(path), escapes))).toEqual([]);
  });

  it('names no path of the machine it was written on', () => {
    const texts = files.filter((path) => /\.(json|csv)$/.test(path) || writtenFiles.includes(path));
    const found = texts.flatMap((path) =>
      path.startsWith('tests/tidy') ? [] : findAll(path, textOf(path), machinePaths),
    );
    expect(found).toEqual([]);
  });
});

describe('documents', () => {
  it('link to files that exist', () => {
    const documents = files.filter((path) => path.endsWith('.md'));
    expect(documents).not.toEqual([]);
    const found = documents.flatMap((path) =>
      [...textOf(path).matchAll(/\]\(([^)\s]+)\)/g)]
        .map((match) => match[1]!)
        .filter((target) => !/^([a-z]+:|#)/.test(target))
        .map((target) => normalize(join(dirname(path), target.split('#')[0]!)))
        .filter((target) => !existsSync(root + target))
        .map((target) => `${path} links to ${target}`),
    );
    expect(found).toEqual([]);
  });
});
