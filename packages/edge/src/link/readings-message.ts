import { deflateRawSync } from "node:zlib";
import type { OutboxEntry } from "@penstock/model";
import type { Readings, WireEntry } from "@penstock/wire";
import { type BootOffset, correctTime } from "./correct-time.ts";

/** One entry on its way, until the cloud has committed all of it. */
export interface InFlight {
  readonly from: number;
  readonly to: number;
  /** what it weighs in window and credit */
  readonly bytes: number;
  readonly lane: "live" | "backlog";
}

/** What an entry costs beside its body, roughly. */
const entryOverheadBytes = 24;
/** Deflating less than this saves less than a network packet. */
const smallestDeflated = 256;

/** Properties that the layouts of one message may name together, so that it stays far below the longest message. */
const layoutPropertiesBound = 20_000;

/**
 * Turns the first of the entries, as many as fit, into a message; a layout goes along the first time that this session
 * uses it. `sent` tells how many and what they weigh.
 */
export function readingsMessage(options: {
  readonly entries: readonly OutboxEntry[];
  readonly lane: InFlight["lane"];
  readonly layoutsSent: ReadonlySet<number>;
  readonly boot: BootOffset | null;
  readonly compress: boolean;
}): { readonly message: Readings; readonly sent: readonly InFlight[]; readonly newLayouts: readonly number[] } {
  const layouts = new Map<number, Readings["layouts"][number]>();
  const sent: InFlight[] = [];
  const entries: WireEntry[] = [];
  let named = 0;
  for (const { firstSeq, count, layout, body } of options.entries) {
    if (!options.layoutsSent.has(layout.id) && !layouts.has(layout.id)) {
      named += layout.properties.length;
      if (named > layoutPropertiesBound && entries.length > 0) break;
      layouts.set(layout.id, { id: layout.id, device: layout.device, properties: layout.properties });
    }
    const corrected = correctTime({ layout, body, boot: options.boot });
    const deflated =
      options.compress && corrected.length >= smallestDeflated ? deflateRawSync(corrected, { level: 1 }) : null;
    const isSmaller = deflated !== null && deflated.length < corrected.length;
    const bytes = isSmaller ? new Uint8Array(deflated) : corrected;
    sent.push({
      from: firstSeq,
      to: firstSeq + count - 1,
      bytes: bytes.length + entryOverheadBytes,
      lane: options.lane,
    });
    entries.push(isSmaller ? [firstSeq, count, layout.id, bytes, 1] : [firstSeq, count, layout.id, bytes]);
  }
  return { message: { t: "readings", layouts: [...layouts.values()], entries }, sent, newLayouts: [...layouts.keys()] };
}
