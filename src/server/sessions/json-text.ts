/**
 * JSON of a step's reply, written as bytes. `JSON.stringify` takes longer than the step: most of a
 * reply are f32 numbers, for which V8's shortest decimals are slow, and names it quotes each time.
 */

const BUFFER_BYTES = 4096;
/** From here to 1, an f32 is told from its neighbouring f64 by 20 digits after the point. */
const SMALL_MIN = 2 ** -13;
const WHOLE_MAX = 2 ** 24;
/** Longest text of a number, sign and all. */
const NUMBER_BYTES_MAX = 32;

/** Bytes past the end that a text written by words of four may touch. */
const SLACK_BYTES = 4;

const ZERO = 48;
const [MINUS, POINT] = Buffer.from('-.');

/** ASCII as little-endian words of four bytes: one store each, where bytes would be four. */
export interface JsonPart {
  readonly words: Uint32Array;
  /** Bytes; those of the last word beyond are zeros. */
  readonly length: number;
}

/** JSON with what is not ASCII escaped. */
function asciiOf(json: string): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return json.replace(/[^\0-\x7f]/g, escaped);
}

/** A text of JSON in words: `{"a":`. */
export function jsonPart(json: string): JsonPart {
  const ascii = asciiOf(json);
  const padded = Buffer.alloc(4 * Math.ceil(ascii.length / 4));
  padded.write(ascii, 'latin1');
  const words = Uint32Array.from({ length: padded.length / 4 }, (_, i) =>
    padded.readUInt32LE(4 * i),
  );
  return { words, length: ascii.length };
}

const [TRUE, FALSE] = ['true', 'false'].map(jsonPart);

/** The decimals 0000 to 9999, a word each, the first digit in its lowest byte. */
const FOUR_DIGITS = jsonPart(
  Array.from({ length: 10_000 }, (_, n) => String(n).padStart(4, '0')).join(''),
).words;

/** Writes one text after the other; what it gives is ASCII and parses to the same values. */
export class JsonText {
  private bytes = Buffer.alloc(BUFFER_BYTES);
  private view = viewOf(this.bytes);
  private end = 0;

  /** Begins a text; whatever was written before is forgotten. */
  begin(): this {
    this.end = 0;
    return this;
  }

  /** The text written since `begin`. */
  finish(): string {
    return this.bytes.toString('latin1', 0, this.end);
  }

  /** Text that is JSON already, or a part of it. */
  raw({ words, length }: JsonPart): void {
    this.reserve(length);
    const { view, end } = this;
    for (let i = 0; i < words.length; i++) view.setUint32(end + 4 * i, words[i], true);
    this.end = end + length;
  }

  /** As `JSON.stringify` has it, null where it is not finite; f32 numbers in more digits. */
  number(x: number): void {
    this.reserve(NUMBER_BYTES_MAX);
    const size = x < 0 ? -x : x;
    const whole = Math.floor(size);
    const isWhole = whole === size && size < WHOLE_MAX;
    const isDecimal = size >= SMALL_MIN && size < WHOLE_MAX && Math.fround(size) === size;
    if (!isWhole && !isDecimal) {
      this.ascii(Number.isFinite(x) ? String(x) : 'null');
      return;
    }
    if (x < 0) this.bytes[this.end++] = MINUS;
    this.digits(whole);
    if (!isWhole) this.fraction(size - whole, whole > 0 ? 4 : 5);
  }

  flag(flag: boolean): void {
    this.raw(flag ? TRUE : FALSE);
  }

  /** Any JSON value, as `JSON.stringify` has it. */
  json(value: unknown): void {
    this.ascii(asciiOf(JSON.stringify(value)));
  }

  private ascii(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.bytes[this.end++] = text.charCodeAt(i);
  }

  /** A whole number below 2^24. */
  private digits(n: number): void {
    if (n >= 1e4) {
      const high = Math.floor(n / 1e4);
      this.digits(high);
      this.four(n - high * 1e4);
      return;
    }
    const leadingZeros = n < 10 ? 3 : n < 100 ? 2 : n < 1000 ? 1 : 0;
    this.view.setUint32(this.end, FOUR_DIGITS[n] >>> (8 * leadingZeros), true);
    this.end += 4 - leadingZeros;
  }

  /**
   * A fraction's digits by groups of four, without zeros at the end. It has at most 37 binary
   * places, so that every product and difference here is exact.
   */
  private fraction(fraction: number, groups: number): void {
    this.bytes[this.end++] = POINT;
    for (let rest = fraction, i = 0; rest !== 0 && i < groups; i++) {
      rest *= 1e4;
      const group = Math.floor(rest);
      this.four(group);
      rest -= group;
    }
    while (this.bytes[this.end - 1] === ZERO) this.end--;
  }

  private four(n: number): void {
    this.view.setUint32(this.end, FOUR_DIGITS[n], true);
    this.end += 4;
  }

  private reserve(count: number): void {
    if (this.end + count + SLACK_BYTES <= this.bytes.length) return;
    const larger = Buffer.alloc(2 * (this.end + count + SLACK_BYTES));
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = viewOf(larger);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
