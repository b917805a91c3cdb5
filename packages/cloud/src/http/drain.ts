import type { IncomingMessage } from "node:http";
import type { Clock } from "@penstock/runtime";

/** How long what nobody wants is still read. */
const drainMs = 1000;

/**
 * Reads the rest of a refused body and forgets it. A client that is still sending when the connection ends sees a reset
 * instead of the answer. Resolves when the body has ended, or after a second.
 */
export function drain(request: IncomingMessage, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      request.off("end", done).off("close", done).off("error", done);
      resolve();
    };
    const cancel = clock.after(drainMs, done);
    request.on("end", done).on("close", done).on("error", done).resume();
    if (request.complete || request.destroyed) done();
  });
}
