import { AppError, type EffectiveDevice } from "@penstock/model";
import type { SinkSite } from "./sink-parts.ts";

/** @throws AppError resource/not-found: the device is unknown or at another gateway */
export function deviceNamed(site: Pick<SinkSite, "device">, name: string): EffectiveDevice {
  const found = site.device(name);
  if (found !== null) return found;
  throw new AppError("resource/not-found", `This gateway has no device "${name}"`);
}
