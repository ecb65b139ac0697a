/** Remarks that no result carries and that must not pass unseen. */

let tell = (message: string): void => {
  console.warn(`infragym: ${message}`);
};
const told = new Set<string>();

/** Takes another way to tell, e.g. a page's own; `() => {}` tells nothing. */
export function provideNotice(listener: (message: string) => void): void {
  tell = listener;
}

/** Tells a remark, each only once. */
export function noticeOnce(message: string): void {
  if (told.has(message)) return;
  told.add(message);
  tell(message);
}
