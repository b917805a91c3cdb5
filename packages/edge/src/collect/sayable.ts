/**
 * What a mapper says goes into logs, states and reports, so it must be a text, and not a long one. A driver is foreign
 * code: it may put anything there, even what no String() takes.
 */
export function sayable(said: unknown, most = 1000): string {
  return typeof said === "string" ? said.slice(0, most) : `(no text but ${typeof said})`;
}
