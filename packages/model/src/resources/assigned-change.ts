import type { ConnectionUid, DeviceUid, RuleUid } from "../ids.ts";
import type { AssignedSet, EffectiveConnection, EffectiveDevice, EffectiveRule } from "./effective.ts";

export interface ListChange<Uid, Item> {
  readonly added: readonly Item[];
  /** as they are now */
  readonly changed: readonly Item[];
  readonly removed: readonly Uid[];
}
/** What differs between two assigned sets; members that are equal, down to the last field, are not in it. */
export interface AssignedChange {
  /** the set after the change */
  readonly set: AssignedSet;
  readonly connections: ListChange<ConnectionUid, EffectiveConnection>;
  readonly devices: ListChange<DeviceUid, EffectiveDevice>;
  readonly rules: ListChange<RuleUid, EffectiveRule>;
}

export function diffAssigned(from: AssignedSet | null, to: AssignedSet): AssignedChange {
  return {
    set: to,
    connections: diffList(from?.connections ?? [], to.connections),
    devices: diffList(from?.devices ?? [], to.devices),
    rules: diffList(from?.rules ?? [], to.rules),
  };
}

/** True when nobody who connects, collects or computes has anything to do. */
export function isEmptyChange({ connections, devices, rules }: AssignedChange): boolean {
  return [connections, devices, rules].every(
    ({ added, changed, removed }) => added.length + changed.length + removed.length === 0,
  );
}

function diffList<Uid extends string, Item extends { readonly uid: Uid }>(
  from: readonly Item[],
  to: readonly Item[],
): ListChange<Uid, Item> {
  const before = new Map(from.map((item) => [item.uid, item]));
  const after = new Set(to.map((item) => item.uid));
  return {
    added: to.filter(({ uid }) => !before.has(uid)),
    changed: to.filter((item) => before.has(item.uid) && !sameData(before.get(item.uid), item)),
    removed: from.map(({ uid }) => uid).filter((uid) => !after.has(uid)),
  };
}

/** Equality of plain JSON data; the order of keys does not matter. */
export function sameData(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => sameData(item, b[i]));
  }
  const keys = Object.keys(a);
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameData(left[key], right[key]))
  );
}
