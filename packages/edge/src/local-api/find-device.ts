import { AppError, type EffectiveDevice, type EffectiveMethod, type EffectiveProperty } from "@penstock/model";
import type { LocalSite } from "./local-site.ts";

/** @throws AppError resource/not-found: the device is unknown or at another gateway */
export function deviceAt(site: LocalSite, name: string): EffectiveDevice {
  const found = site.assigned()?.devices.find((device) => device.name === name);
  if (found !== undefined) return found;
  throw new AppError("resource/not-found", `No device "${name}" at gateway "${site.node}"`);
}

export function propertyOf(device: EffectiveDevice, name: string): EffectiveProperty {
  const found = device.properties.find((property) => property.name === name);
  if (found !== undefined) return found;
  throw new AppError("twin/unknown-property", missing(device, "property", name, device.properties));
}

export function methodOf(device: EffectiveDevice, name: string): EffectiveMethod {
  const found = device.methods.find((method) => method.name === name);
  if (found !== undefined) return found;
  throw new AppError("twin/unknown-method", missing(device, "method", name, device.methods));
}

function missing(
  { name: device }: EffectiveDevice,
  kind: string,
  name: string,
  known: readonly { readonly name: string }[],
): string {
  return `Device "${device}" has no ${kind} "${name}": it has ${known.map((one) => one.name).join(", ") || "none"}`;
}
