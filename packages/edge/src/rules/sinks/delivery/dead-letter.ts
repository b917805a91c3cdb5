import { checkTopic } from "@penstock/model";
import { jsonOf } from "../row-json.ts";
import type { SinkParts } from "../sink-parts.ts";
import { filled } from "../template.ts";
import type { ParcelRow } from "./courier.ts";

/**
 * Says at the gateway's broker what was given up: {rule, action, reason, time, row}, one message a row. A topic that the
 * row makes impossible, or a broker that refuses, loses it.
 */
export function deadLetters(topic: string | undefined, kind: string, parts: SinkParts, lost: () => void) {
  const { rule, site } = parts;
  return async (rows: readonly ParcelRow[], reason: string): Promise<void> => {
    if (topic === undefined) return;
    for (const { row, time } of rows) {
      const letter = jsonOf({ rule, action: kind, reason, time: time / 1000, row });
      const to = filled(topic, row);
      try {
        if (checkTopic(to, "topic").length > 0) lost();
        else await site.publish({ topic: to, payload: Buffer.from(letter), qos: 1, retain: false });
      } catch {
        lost();
      }
    }
  };
}
