import { createHash } from "node:crypto";
import type { ConnectionUid, DeviceUid } from "@penstock/model";

/** An inline connection belongs to its device: its uid follows from the device's and stays the same for life. */
export function inlineConnectionUid(device: DeviceUid): ConnectionUid {
  return createHash("sha256").update(`inline connection of ${device}`).digest("hex").slice(0, 32) as ConnectionUid;
}
