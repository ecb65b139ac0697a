/** The tidy test's questions to a TypeScript or JavaScript file, by the TypeScript compiler. */
import { dirname, join } from 'node:path/posix';
import ts from 'typescript';
import { files, textOf } from './files.js';

function parse(path: string): ts.SourceFile {
  const kind = path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  return ts.createSourceFile(path, textOf(path), ts.ScriptTarget.Latest, true, kind);
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

function lineOf(source: ts.SourceFile, offset: number): number {
  return source.getLineAndCharacterOfPosition(offset).line + 1;
}

/** `describe(…, () => { … })` is a chapter of tests rather than a function. */
function isTestGroup(node: ts.Node): boolean {
  if (!ts.isCallExpression(node.parent)) return false;
  return /^describe\b/.test(node.parent.expression.getText());
}

/** Functions of more than `limit` lines, as `path:line: n lines`. */
export function longFunctions(path: string, limit: number): string[] {
  const source = parse(path);
  const found: string[] = [];
  visit(source, (node) => {
    if (!ts.isFunctionLike(node) || isTestGroup(node)) return;
    const first = lineOf(source, node.getStart(source));
    const numLines = lineOf(source, node.end) - first + 1;
    if (numLines > limit) found.push(`${path}:${first}: ${numLines} lines`);
  });
  return found;
}

/** The names of a file's functions and methods. */
export function functionNames(path: string): string[] {
  const found: string[] = [];
  visit(parse(path), (node) => {
    if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) {
      if (node.name !== undefined) found.push(node.name.getText());
    }
  });
  return found;
}

/** The module specifiers a file imports, re-exports or loads dynamically. */
export function importsOf(path: string): string[] {
  const found: string[] = [];
  visit(parse(path), (node) => {
    const isDeclaration = ts.isImportDeclaration(node) || ts.isExportDeclaration(node);
    const isDynamic =
      ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
    const specifier = isDeclaration
      ? node.moduleSpecifier
      : isDynamic
        ? node.arguments[0]
        : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
          ? node.argument.literal
          : undefined;
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) found.push(specifier.text);
  });
  return found;
}

const known = new Set(files);

/** The repository path that a relative specifier means, or undefined where there is none. */
export function resolveImport(from: string, specifier: string): string | undefined {
  const path = join(dirname(from), specifier);
  const stem = path.replace(/\.js$/, '');
  const candidates = [path, `${stem}.ts`, `${stem}.tsx`, `${stem}/index.ts`];
  return candidates.find((candidate) => known.has(candidate));
}

const exactMath = ['abs', 'floor', 'ceil', 'trunc', 'fround', 'imul', 'clz32', 'sqrt'];

function bannedAt(node: ts.Node): string | undefined {
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    const isPower =
      kind === ts.SyntaxKind.AsteriskAsteriskToken ||
      kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken;
    return isPower ? node.operatorToken.getText() : undefined;
  }
  if (!ts.isIdentifier(node)) return undefined;
  if (['Date', 'performance', 'crypto'].includes(node.text)) {
    return ts.isPropertyAccessExpression(node.parent) && node.parent.name === node
      ? undefined
      : node.text;
  }
  if (!/^(Native)?Mathf?$/.test(node.text)) return undefined;
  const { parent } = node;
  const isMember = ts.isPropertyAccessExpression(parent) && parent.expression === node;
  // Anything but a plain member, such as `Math['exp']` or `const { exp } = Math`, is banned too.
  if (!isMember) return parent.getText();
  return exactMath.includes(parent.name.text) ? undefined : parent.getText();
}

/** Uses of what is not the same on every machine, as `path:line: text`. */
export function inexactUses(path: string): string[] {
  const source = parse(path);
  const found: string[] = [];
  visit(source, (node) => {
    const banned = bannedAt(node);
    if (banned === undefined) return;
    found.push(`${path}:${lineOf(source, node.getStart(source))}: ${banned}`);
  });
  return found;
}
