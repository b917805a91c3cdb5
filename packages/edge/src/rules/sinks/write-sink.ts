import { AppError, desiredFromJson, type LocalEnd, parseDuration } from "@penstock/model";
import { deviceNamed } from "./find-device.ts";
import { eachRow } from "./in-turn.ts";
import { wantedJson } from "./property-value.ts";
import type { OpenSink } from "./sink-parts.ts";
import { filled, filledValue } from "./template.ts";

const defaultTtlMs = 60_000;

/**
 * A value set at a device for each row, as if somebody at the gateway had set it: what becomes of it follows from the
 * property's localWrites. The next result does not wait for the device: a newer value takes the place of an older one.
 */
export const openWrite: OpenSink<"write"> = ({ device, property, value, ttl }, parts) => {
  const { site, rule } = parts;
  const ttlMs = ttl === undefined ? defaultTtlMs : parseDuration(ttl)!;
  return eachRow(parts, async (row) => {
    const at = deviceNamed(site, filled(device, row));
    const name = filled(property, row);
    const found = at.properties.find((one) => one.name === name);
    if (found === undefined)
      throw new AppError("twin/unknown-property", `Device "${at.name}" has no property "${name}"`);
    if (found.localWrites === "refuse") {
      throw new AppError("twin/read-only", `Cannot set "${name}" of "${at.name}" by a rule: its localWrites is refuse`);
    }
    const wanted = desiredFromJson(found, wantedJson(found.type, filledValue(value, row)));
    const { ended } = await site.twin.setLocally({
      ...{ device: at.uid, property: name, type: found.type, value: wanted, holder: `rule:${rule}`, ttlMs },
      holdMs: null,
    });
    void ended.then((end) => {
      const message = messageOf(end, `${at.name}.${name}`);
      if (message !== null) parts.failed(message);
    });
  });
};

/** null when it went well, or another value took its place */
function messageOf({ state, message }: LocalEnd, what: string): string | null {
  const isWell = state === "written" || state === "confirmed" || state === "superseded";
  return isWell ? null : `Cannot set "${what}": it ended ${state}: ${message ?? "no reason is known"}`;
}
