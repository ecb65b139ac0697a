/** Just enough Rust to find functions and test modules: comments and literals are blanked first. */
import { lineAt } from './files.js';

const blanked = new RegExp(
  [
    String.raw`\/\/[^\n]*`, // a line comment
    String.raw`\/\*[\s\S]*?\*\/`, // a block comment
    String.raw`\bb?r(#*)"[\s\S]*?"\1`, // a raw string
    String.raw`b?"(?:\\[\s\S]|[^"\\])*"`, // a string
    String.raw`b?'(?:\\[^\n]*?|[^'\\\n])'`, // a character; a lifetime has no closing quote
  ].join('|'),
  'g',
);

/** Replaces comments, strings and characters by spaces; lines and offsets stay. */
export function blankRust(text: string): string {
  return text.replace(blanked, (literal) => literal.replace(/[^\n]/g, ' '));
}

/** The offset just behind the brace that closes the first one at or after `start`, or -1. */
function blockEnd(code: string, start: number): number {
  let depth = 0;
  for (let i = start; i < code.length; i++) {
    if (code[i] === '{') depth++;
    if (code[i] === '}' && --depth === 0) return i + 1;
  }
  return -1;
}

export interface RustFunction {
  name: string;
  line: number;
  numLines: number;
}

/** The functions of a Rust text that have a body. */
export function rustFunctions(text: string): RustFunction[] {
  const code = blankRust(text);
  const found: RustFunction[] = [];
  for (const match of code.matchAll(/\bfn\s+(\w+)/g)) {
    // `[f64; 4]` in a signature is no end of a declaration, so brackets are skipped.
    const body = code.slice(match.index).search(/\{|;(?![^[\]]*\])/);
    const open = match.index + body;
    if (body < 0 || code[open] !== '{') continue;
    const end = blockEnd(code, open);
    const line = lineAt(code, match.index);
    found.push({ name: match[1]!, line, numLines: lineAt(code, end) - line + 1 });
  }
  return found;
}

/** The code without its comments, literals and `#[cfg(test)]` items; lines and offsets stay. */
export function shippedRust(text: string): string {
  let code = blankRust(text);
  for (const match of code.matchAll(/#\[cfg\((?:all\()?test\b[^\n]*\]/g)) {
    const end = blockEnd(code, match.index);
    if (end < 0) continue;
    const item = code.slice(match.index, end).replace(/[^\n]/g, ' ');
    code = code.slice(0, match.index) + item + code.slice(end);
  }
  return code;
}
