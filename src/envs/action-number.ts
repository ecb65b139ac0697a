/** Actions that are one number, in the forms that people write them in. */

/** An action's number: itself, under its name, or as the one number of an array. */
export function actionNumber(action: unknown, name: string): unknown {
  if (typeof action !== 'object' || action === null) return action;
  if (ArrayBuffer.isView(action) || Array.isArray(action)) {
    const numbers = action as ArrayLike<unknown>;
    return numbers.length === 1 ? numbers[0] : action;
  }
  const names = Object.keys(action);
  const isNamed = names.length === 1 && names[0] === name;
  return isNamed ? (action as Record<string, unknown>)[name] : action;
}
