/** The tidy test's own tools, on texts that would fool a careless reading. */
import { describe, expect, it } from 'vitest';
import { blankRust, rustFunctions, shippedRust } from './rust.js';

describe('reading Rust', () => {
  it('is not fooled by braces in comments, strings, characters and lifetimes', () => {
    const text = [
      "fn first<'a>(x: &'a str) -> char { // }",
      '  let text = "}{"; let raw = r#"}"}"#;',
      "  if text == raw { '}' } else { '\\'' }",
      '}',
      'fn second(x: [f64; 4]) -> f64 {',
      '  x[0]',
      '}',
    ].join('\n');
    expect(rustFunctions(text)).toEqual([
      { name: 'first', line: 1, numLines: 4 },
      { name: 'second', line: 5, numLines: 3 },
    ]);
  });

  it('counts no declaration without a body', () => {
    expect(rustFunctions('trait A { fn a(&self); fn b() {} }')).toEqual([
      { name: 'b', line: 1, numLines: 1 },
    ]);
  });

  it('keeps offsets when it blanks', () => {
    const text = 'let a = "é\\"x"; // exp(\nlet b = 1;';
    const blank = blankRust(text);
    expect(blank.length).toBe(text.length);
    expect(blank).not.toContain('exp(');
    expect(blank.indexOf('let b')).toBe(text.indexOf('let b'));
  });

  it('leaves test modules out of what is shipped', () => {
    const text = 'fn a() { 1.0 }\n#[cfg(test)]\nmod tests { fn t() { x.exp() } }\nfn b() {}';
    const shipped = shippedRust(text);
    expect(shipped).not.toContain('exp');
    expect(shipped).toContain('fn b');
  });
});
