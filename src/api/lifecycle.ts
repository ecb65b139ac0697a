/** The life of a batch: after a reset, not while it steps, before it is closed. */
export class Lifecycle {
  hasBegun = false;
  private isClosed = false;
  private isStepping = false;

  /** Until `work` is done, everything else is refused. */
  async whileStepping(work: () => Promise<void> | void): Promise<void> {
    this.isStepping = true;
    try {
      await work();
    } finally {
      this.isStepping = false;
    }
  }

  /** True the first time. */
  close(): boolean {
    this.requireIdle();
    const isFirst = !this.isClosed;
    this.isClosed = true;
    return isFirst;
  }

  requireOpen(): void {
    if (this.isClosed) throw new Error('the environment is closed: make another one');
    this.requireIdle();
  }

  requireBegun(): void {
    this.requireOpen();
    if (!this.hasBegun) throw new Error('no episode has begun: call reset() first');
  }

  private requireIdle(): void {
    if (!this.isStepping) return;
    throw new Error('a step is running: await what stepAsync() returned before any other call');
  }
}
