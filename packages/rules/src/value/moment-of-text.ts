import { readTime } from "../functions/time/part-read-time.ts";
import { ownZone } from "../functions/time/part-zone.ts";
import type { Mode } from "../parse/ast.ts";
import { RowError } from "./row-error.ts";

/**
 * The moment that a text tells, as a rule reads it wherever one stands: with an offset, or else on the clocks of its zone.
 *
 * @returns microseconds since 1970; null for what is none, and for what those clocks show twice or never
 */
export function momentOfText(
  text: string,
  { timeZone, mode }: { readonly timeZone: string; readonly mode: Mode },
): number | null {
  try {
    return readTime(text, { zone: ownZone(timeZone), mode });
  } catch (error) {
    if (error instanceof RowError) return null;
    throw error;
  }
}
