/** The samplers of src/compile/sample.ts: a table, one word, no branch. */

/** Sampler A: an integer outcome, without its offset. */
export function sampleAlias(columns: usize, bits: u32, word: u32): u32 {
  const j = word >> (32 - bits);
  const r = (word << bits) >> bits;
  const entry: u32 = load<u32>(columns + (<usize>j << 2));
  return r < entry >> bits ? j : entry & ((1 << bits) - 1);
}

/** Sampler Q: f32, from the word's top 24 bits: the tail, then y counted from that tail. */
export function sampleQuantile(table: usize, word: u32): f32 {
  const y: u32 = ((word >> 7) & 0xfffffe) | 1;
  const z: u32 = clz(y);
  const i = ((word >> 31) << 11) + ((30 - z) << 6) + ((y << z) >> 25);
  const cell = table + (<usize>i << 3);
  return load<f32>(cell) + load<f32>(cell, 4) * <f32>y;
}

/** Sampler P: f32, from all 32 bits. */
export function samplePieces(columns: usize, coefficients: usize, bits: u32, word: u32): f32 {
  const j = word >> (32 - bits);
  const r = (word << bits) >> bits;
  const side: u32 = r < load<u32>(columns + (<usize>j << 2)) >> bits ? 0 : 1;
  const piece = coefficients + (<usize>(2 * j + side) << 3);
  return load<f32>(piece) + load<f32>(piece, 4) * <f32>r;
}

/** Sampler E: f32, from the word's top 24 bits and n cells; t fits 32 unsigned bits. */
export function sampleEqualCells(table: usize, n: u32, word: u32): f32 {
  const t: u32 = (((word >> 8) << 1) | 1) * n;
  const cell = table + (<usize>(t >> 25) << 3);
  return load<f32>(cell) + load<f32>(cell, 4) * <f32>(t & 0x1ffffff);
}
