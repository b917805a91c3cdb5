import type {
  DesiredReport,
  DesiredValue,
  DeviceUid,
  EffectiveProperty,
  ErrorCode,
  LocalWrite,
  Value,
} from "@penstock/model";
import type { Slot, Times } from "./desired-slot.ts";

/** What happens to desired values, as data. */
export type Input =
  | { readonly t: "desired"; readonly values: readonly DesiredValue[] }
  | { readonly t: "written"; readonly access: Access }
  | { readonly t: "found"; readonly access: Access; readonly value: Value }
  | { readonly t: "trouble"; readonly access: Access; readonly trouble: Trouble }
  | { readonly t: "taken"; readonly taken: readonly Pick<DesiredReport, "device" | "property" | "version" | "state">[] }
  /** the access was not begun: what was to be written is not wanted any more */
  | { readonly t: "not-begun"; readonly access: Access }
  | { readonly t: "local"; readonly write: VersionedLocalWrite }
  | { readonly t: "release"; readonly device: DeviceUid; readonly property: string }
  /** time has passed, or devices were edited or removed */
  | { readonly t: "look" }
  /** the process starts with what the journal held; the machine may have been without power for an unknown time */
  | { readonly t: "restart"; readonly isTimeTrusted: boolean };

/** A value set at the gateway. What becomes of it follows from the property's `localWrites`. */
export interface VersionedLocalWrite extends LocalWrite {
  /** below 0 and lower with each */
  readonly version: number;
}

/** One access to a device, to be answered with written, found or trouble. */
export interface Access {
  readonly op: "write" | "read";
  readonly device: DeviceUid;
  readonly property: string;
  readonly version: number;
  readonly value: Value;
}
export interface Trouble {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retriable: boolean;
}

export interface Context extends Times {
  find(device: DeviceUid, property: string): EffectiveProperty | null;
}
export interface Slots {
  get(key: string): Slot | undefined;
  keys(): Iterable<string>;
}
export interface Step {
  readonly slots: ReadonlyMap<string, Slot>;
  /** keys whose change must be on disk before anybody learns of it */
  readonly durable: ReadonlySet<string>;
  readonly accesses: readonly Access[];
  /** monotonic time of the next `look` that these slots need */
  readonly lookAt: number;
  /** reports that had to go because a slot keeps only so many */
  readonly reportsDropped: number;
}
