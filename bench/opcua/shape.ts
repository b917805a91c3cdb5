export const items = 1000;
export const everyMs = 100;

/** What both clients are asked, and answer. */
export type ClientQuestion =
  | { readonly t: "open"; readonly port: number }
  | { readonly t: "count" }
  /** reads all items again and again for so long */
  | { readonly t: "read"; readonly ms: number };
export interface ClientAnswer {
  /** changes told so far */
  readonly told: number;
  /** values read in the time that the question named, per second */
  readonly readPerSecond: number;
}
export const nodeIdOf = (i: number) => `count${i}`;
