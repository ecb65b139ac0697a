/**
 * Memory is handed out once, while a batch is made, and never given back: an instance serves one
 * batch and goes away as a whole. Nothing else allocates, so views of it never detach.
 */

const ALIGNMENT_BYTES: usize = 64;
const PAGE_BYTES: usize = 65536;

// Static data ends here; the stub runtime's own allocator is never used.
let top: usize = __heap_base;

/** `bytes` zeroed bytes on a 64-byte boundary; traps where a page cannot be had. */
export function allocate(bytes: usize): usize {
  const start = (top + ALIGNMENT_BYTES - 1) & ~(ALIGNMENT_BYTES - 1);
  const end = <u64>start + <u64>bytes;
  const has = <u64>memory.size() * <u64>PAGE_BYTES;
  if (end > has) {
    const pages = (end - has + <u64>PAGE_BYTES - 1) / <u64>PAGE_BYTES;
    if (pages > 65536 || memory.grow(<i32>pages) < 0) unreachable();
  }
  top = <usize>end;
  return start;
}

/** Memory for `count` rows of `bytes` each; the product may pass 32 bits and then traps. */
export function allocateRows(count: u32, bytes: u32): usize {
  const total = <u64>count * <u64>bytes;
  if (total > <u64>u32.MAX_VALUE) unreachable();
  return allocate(<usize>total);
}
