/** The line at the terminal's end that says what is going on; silent where there is no terminal. */
export class Progress {
  private readonly isShown = process.stderr.isTTY === true;

  show(text: string): void {
    if (!this.isShown) return;
    const width = (process.stderr.columns ?? 80) - 1;
    process.stderr.write(`\r\x1b[2K${text.slice(0, width)}`);
  }

  clear(): void {
    if (this.isShown) process.stderr.write('\r\x1b[2K');
  }
}
