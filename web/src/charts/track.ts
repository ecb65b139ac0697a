/**
 * A growing series that is quick to draw at any length: least and greatest values of buckets whose
 * size doubles whenever there are too many. So a spike of one step is seen among 100,000.
 */
const BUCKETS_MAX = 1024;

export class Track {
  /** Values. */
  length = 0;
  /** Values in a bucket, a power of two. */
  bucketSize = 1;
  private readonly low = new Float64Array(BUCKETS_MAX);
  private readonly high = new Float64Array(BUCKETS_MAX);
  /** 1 where the bucket's least value came first. */
  private readonly rises = new Uint8Array(BUCKETS_MAX);

  /** Adds a value; NaN is a gap. */
  push(value: number): void {
    if (this.length === this.bucketSize * BUCKETS_MAX) this.halve();
    const bucket = Math.floor(this.length / this.bucketSize);
    const isFirst = this.length % this.bucketSize === 0;
    this.length++;
    if (isFirst || Number.isNaN(this.low[bucket])) {
      this.low[bucket] = value;
      this.high[bucket] = value;
      this.rises[bucket] = 1;
    } else if (value < this.low[bucket]) {
      this.low[bucket] = value;
      this.rises[bucket] = 0;
    } else if (value > this.high[bucket]) {
      this.high[bucket] = value;
      this.rises[bucket] = 1;
    }
  }

  clear(): void {
    this.length = 0;
    this.bucketSize = 1;
  }

  /** Positions of the points that `values` gives. */
  positions(): number[] {
    const { bucketSize, length } = this;
    const buckets = Math.ceil(length / bucketSize);
    if (bucketSize === 1) return Array.from({ length: buckets }, (_, i) => i);
    const half = bucketSize / 2;
    return Array.from({ length: 2 * buckets }, (_, i) => Math.min(i * half, length - 1));
  }

  /** The values themselves or, where there are too many, two of every bucket; null for a gap. */
  values(): (number | null)[] {
    const { bucketSize, low, high, rises } = this;
    const buckets = Math.ceil(this.length / bucketSize);
    const points: (number | null)[] = [];
    for (let i = 0; i < buckets; i++) {
      const isGap = Number.isNaN(low[i]);
      const pair = isGap ? [null, null] : rises[i] === 1 ? [low[i], high[i]] : [high[i], low[i]];
      if (bucketSize === 1) points.push(pair[0]);
      else points.push(...pair);
    }
    return points;
  }

  private halve(): void {
    const { low, high, rises } = this;
    for (let i = 0; i < BUCKETS_MAX / 2; i++) {
      const [a, b] = [2 * i, 2 * i + 1];
      const lowest = low[b] < low[a] || Number.isNaN(low[a]) ? b : a;
      const highest = high[b] > high[a] || Number.isNaN(high[a]) ? b : a;
      const rise = lowest === highest ? rises[lowest] : lowest < highest ? 1 : 0;
      low[i] = low[lowest];
      high[i] = high[highest];
      rises[i] = rise;
    }
    this.bucketSize *= 2;
  }
}
