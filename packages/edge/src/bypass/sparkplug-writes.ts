import { checkDesired, type LocalTwin } from "@penstock/model";
import type { Log } from "@penstock/runtime";
import type { SparkplugWrite } from "./sparkplug-node.ts";

const ttlMs = 60_000;

/**
 * Values that a Sparkplug host sets, on the way that every value set at the gateway goes: its property's `localWrites`,
 * range and journal. The host sees what became of it in the next data.
 *
 * @returns takes one; false when the property is not to be set here, or not to that value
 */
export function sparkplugWrites(parts: { readonly twin: Pick<LocalTwin, "setLocally">; readonly log: Log }) {
  const { twin, log } = parts;
  return ({ device, property: name, type, value }: SparkplugWrite): boolean => {
    const property = device.properties.find((one) => one.name === name);
    if (property === undefined || property.localWrites === "refuse") return false;
    try {
      checkDesired(property, type, value);
    } catch {
      return false;
    }
    const write = { device: device.uid, property: name, type, value, holder: "a Sparkplug host", ttlMs, holdMs: null };
    twin.setLocally(write).catch((error: unknown) => {
      log.warn({ device: device.name, property: name, error }, "Cannot take a value of a Sparkplug host");
    });
    return true;
  };
}
