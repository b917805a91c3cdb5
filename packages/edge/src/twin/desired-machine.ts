import {
  AppError,
  checkDesired,
  codeOf,
  type DesiredReport,
  type DesiredValue,
  isHeldAs,
  limits,
  type Value,
  valueToText,
} from "@penstock/model";
import { endOf, type Reason, reportOf, takesNone } from "./desired-report.ts";
import { slotAfterRestart } from "./desired-restart.ts";
import {
  type Active,
  activeOf,
  drivenOf,
  type End,
  emptySlot,
  lifeNow,
  lifeOf,
  livesOf,
  type Slot,
  slotKey,
  withActive,
} from "./desired-slot.ts";
import type { Access, Context, Input, Slots, Step, Trouble, VersionedLocalWrite } from "./desired-step.ts";

const firstBackOffMs = 200;
const longestBackOffMs = 5000;
/** a device that shows another value may still be taking it over; after the third time it has not */
const mismatchesAllowed = 3;
/** the oldest go first: the cloud knows that what is below the highest version was superseded */
export const reportsPerSlot = 32;

/**
 * The life of desired values: pending → written → confirmed, or failed, superseded, expired. Pure: the same slots, input
 * and context give the same step. The highest version wins whatever the order of arrival; per property one access is in
 * flight at a time, so that an older write never lands after a newer one. Values set at the gateway live by the same
 * rules beside those of the cloud; docs/decisions/0013-local-writes.md says which of the two goes first.
 */
export function step(slots: Slots, input: Input, context: Context): Step {
  const machine = new Machine(slots, context);
  switch (input.t) {
    case "desired":
      for (const value of input.values) machine.desire(value);
      break;
    case "local":
      machine.setLocally(input.write);
      break;
    case "release":
      machine.release(slotKey(input.device, input.property));
      break;
    case "written":
      machine.written(input.access);
      break;
    case "found":
      machine.found(input.access, input.value);
      break;
    case "trouble":
      machine.troubled(input.access, input.trouble);
      break;
    case "not-begun":
      machine.notBegun(input.access);
      break;
    case "taken":
      for (const taken of input.taken) machine.taken(taken);
      break;
    case "look":
      for (const key of slots.keys()) machine.look(key);
      break;
    case "restart":
      for (const key of slots.keys()) machine.restart(key, { isTrusted: input.isTimeTrusted });
      break;
  }
  return machine.step();
}

class Machine {
  readonly #before: Slots;
  readonly #context: Context;
  readonly #changed = new Map<string, Slot>();
  readonly #durable = new Set<string>();
  readonly #accesses: Access[] = [];
  #reportsDropped = 0;

  constructor(before: Slots, context: Context) {
    this.#before = before;
    this.#context = context;
  }

  step(): Step {
    let lookAt = Number.POSITIVE_INFINITY;
    for (const slot of this.#changed.values()) {
      for (const { deadline } of livesOf(slot)) lookAt = Math.min(lookAt, deadline);
      const driven = drivenOf(slot);
      if (driven !== null && !slot.busy && driven.waitUntil > 0) lookAt = Math.min(lookAt, driven.waitUntil);
    }
    return {
      slots: this.#changed,
      durable: this.#durable,
      accesses: this.#accesses,
      lookAt,
      reportsDropped: this.#reportsDropped,
    };
  }

  desire(wanted: DesiredValue): void {
    const { device, property, version } = wanted;
    const key = slotKey(device, property);
    let slot = this.#get(key) ?? emptySlot(device, property);
    if (version < slot.highest) {
      this.#tellSuperseded(key, slot, wanted);
      return;
    }
    const leftMs = Math.max(0, Math.min(wanted.ttlMs, limits.desiredTtlMaxMs));
    if (version === slot.highest) {
      this.#again(key, slot, leftMs);
      return;
    }
    const taken = { code: "twin/superseded", message: `Version ${version} took its place` } as const;
    if (slot.active !== null) slot = this.#ended(slot, slot.active, "superseded", taken);
    // A value set here holds, or it yields.
    if (slot.local !== null && slot.hold === null) slot = this.#ended(slot, slot.local, "superseded", taken);
    this.#put(key, { ...slot, highest: version, end: null, active: this.#begin(wanted, leftMs) });
    this.look(key);
  }

  setLocally(write: VersionedLocalWrite): void {
    const { device, property, holder, holdMs } = write;
    const key = slotKey(device, property);
    let slot = this.#get(key) ?? emptySlot(device, property);
    const local = this.#begin(write, Math.min(write.ttlMs, limits.desiredTtlMaxMs));
    const policy = this.#context.find(device, property)?.localWrites ?? "refuse";
    const why = policy === "refuse" ? takesNone(property) : policy === "yield" ? this.#cloudFirst(slot) : null;
    if (why !== null) {
      const state = why.code === "twin/superseded" ? "superseded" : "failed";
      this.#put(key, {
        ...slot,
        localEnd: endOf(slot, local, { state, trouble: why, value: null, time: this.#context.time }),
      });
      return;
    }
    const after = { code: "twin/superseded", message: `${holder} set another value` } as const;
    if (slot.local !== null) slot = this.#ended(slot, slot.local, "superseded", after);
    const { type, value } = write;
    const life = holdMs === null ? null : lifeOf(holdMs, this.#context);
    const hold = policy === "hold" ? { holder, type, value, since: this.#context.time, life } : null;
    this.#put(key, { ...slot, hold, local, localEnd: null });
    this.look(key);
  }

  /** What waits of the cloud goes on, from its write: the device has another value now. */
  release(key: string): void {
    const slot = this.#get(key);
    if (slot === undefined || slot.hold === null) return;
    const active = slot.active === null ? null : { ...slot.active, next: "write" as const, waitUntil: 0 };
    const why = { code: "twin/superseded", message: "The hold ended" } as const;
    const free = slot.local === null ? slot : this.#ended(slot, slot.local, "superseded", why);
    this.#put(key, { ...free, hold: null, active });
    this.look(key);
  }

  /** The cloud did not learn that this version was taken, or how it ended: nothing begins anew. */
  #again(key: string, slot: Slot, leftMs: number): void {
    const { active, end } = slot;
    if (active !== null) {
      const life = lifeOf(leftMs, this.#context);
      // The cloud's count of what is left may only shorten ours.
      if (life.deadline < active.life.deadline) this.#put(key, { ...slot, active: { ...active, life } });
      this.look(key);
    } else if (
      end !== null &&
      !slot.reports.some((report) => report.version === end.version && report.state === end.state)
    ) {
      const { takenAt, writtenAt, ...report } = end;
      this.#put(key, { ...slot, reports: this.#add(slot, report) });
    }
  }

  #tellSuperseded(key: string, slot: Slot, wanted: DesiredValue): void {
    // Its own end, if it had one that the cloud has not taken, goes up anyway and says more.
    if (slot.reports.some((report) => report.version === wanted.version && report.state !== "written")) return;
    const message = `Version ${slot.highest} came before version ${wanted.version}`;
    const trouble: Reason = { code: "twin/superseded", message };
    const report = reportOf(slot, wanted, { state: "superseded", trouble, value: null, time: this.#context.time });
    this.#put(key, { ...slot, reports: this.#add(slot, report) });
  }

  written(access: Access): void {
    const found = this.#settled(access);
    if (found === null) return;
    const { key, slot } = found;
    const active = { ...found.active, writtenAt: found.active.writtenAt ?? this.#context.time };
    if (this.#context.find(slot.device, slot.property)?.access === "write") {
      this.#put(key, this.#ended(slot, active, "written", null, active.value));
      this.look(key);
      return;
    }
    const isNews = active.state !== "written" && active.version > 0;
    const told = { state: "written", trouble: null, value: null, time: this.#context.time } as const;
    const reports = isNews ? this.#add(slot, reportOf(slot, active, told)) : slot.reports;
    const read: Active = { ...active, state: "written", next: "read", failures: 0, waitUntil: 0 };
    this.#put(key, withActive({ ...slot, reports }, read), isNews);
    this.look(key);
  }

  found(access: Access, value: Value): void {
    const settled = this.#settled(access);
    if (settled === null) return;
    const { key, slot, active } = settled;
    const scale = this.#context.find(slot.device, slot.property)?.visitor.scale;
    const held = isHeldAs({
      type: active.type,
      wanted: active.value,
      found: value,
      scale: typeof scale === "number" ? scale : null,
    });
    if (held) {
      this.#put(key, this.#ended(slot, active, "confirmed", null, value));
      this.look(key);
      return;
    }
    const mismatches = active.mismatches + 1;
    const trouble: Reason = {
      code: "twin/not-confirmed",
      message: `Cannot confirm "${slot.property}": wrote ${valueToText(active.type, active.value)}, read back ${valueToText(active.type, value)}`,
    };
    if (mismatches >= mismatchesAllowed) {
      this.#put(key, this.#ended(slot, active, "failed", trouble, value));
      this.look(key);
    } else this.#wait(key, slot, { ...active, mismatches, next: "write" }, trouble);
  }

  troubled(access: Access, { retriable, ...trouble }: Trouble): void {
    const settled = this.#settled(access);
    if (settled === null) return;
    const { key, slot, active } = settled;
    if (!retriable) {
      this.#put(key, this.#ended(slot, active, "failed", trouble));
      this.look(key);
    } else this.#wait(key, slot, { ...active, failures: active.failures + 1 }, trouble);
  }

  notBegun(access: Access): void {
    const settled = this.#settled(access);
    if (settled !== null) this.look(settled.key);
  }

  taken(taken: Pick<DesiredReport, "device" | "property" | "version" | "state">): void {
    const key = slotKey(taken.device, taken.property);
    const slot = this.#get(key);
    if (slot === undefined) return;
    const reports = slot.reports.filter((report) => report.version !== taken.version || report.state !== taken.state);
    if (reports.length < slot.reports.length) this.#put(key, { ...slot, reports });
  }

  restart(key: string, clock: { readonly isTrusted: boolean }): void {
    const before = this.#get(key)!;
    const slot = slotAfterRestart(before, this.#context, clock);
    // What this boot's clock counts must be on disk, or the next start would count by the boot before.
    const isNewBoot = livesOf(before).some(({ boot }) => boot !== this.#context.boot);
    this.#put(key, slot, isNewBoot);
    this.look(key);
  }

  /** Ends what has expired or may no longer be written; begins the next access where none is in flight. */
  look(key: string): void {
    const { now } = this.#context;
    const { hold } = this.#get(key)!;
    if (hold !== null && ((hold.life !== null && now >= hold.life.deadline) || !this.#mayHold(key))) {
      this.release(key);
      return;
    }
    this.#endIfOver(key, this.#get(key)!.local);
    this.#endIfOver(key, this.#get(key)!.active);
    const slot = this.#get(key)!;
    const driven = drivenOf(slot);
    if (driven === null || slot.busy || driven.waitUntil > now) {
      // Put again only so that `step` sees when to look next.
      if (slot.active !== null || slot.local !== null || slot.hold !== null) this.#put(key, slot, false);
      return;
    }
    this.#put(key, withActive({ ...slot, busy: true }, { ...driven, waitUntil: 0 }), false);
    const { device, property } = slot;
    this.#accesses.push({ op: driven.next, device, property, version: driven.version, value: driven.value });
  }

  #mayHold(key: string): boolean {
    const { device, property } = this.#get(key)!;
    return this.#context.find(device, property)?.localWrites === "hold";
  }

  /** A value set here gives way to one of the cloud that is on its way. */
  #cloudFirst({ property, active }: Slot): Reason | null {
    if (active === null) return null;
    const message = `Version ${active.version} of the cloud is on its way to "${property}"`;
    return { code: "twin/superseded", message };
  }

  #endIfOver(key: string, active: Active | null): void {
    if (active === null) return;
    const slot = this.#get(key)!;
    const broken = this.#broken(slot, active);
    if (broken !== null) this.#put(key, this.#ended(slot, active, "failed", broken));
    else if (this.#context.now >= active.life.deadline) this.#put(key, this.#expired(slot, active));
  }

  /** Why the value may not be written as the device is now described. */
  #broken(slot: Slot, active: Active): Reason | null {
    const property = this.#context.find(slot.device, slot.property);
    if (property === null) {
      const message = `Cannot set "${slot.property}": the device has no such property, or is not at this gateway`;
      return { code: "twin/unknown-property", message };
    }
    if (active.version < 0 && property.localWrites === "refuse") return takesNone(slot.property);
    try {
      checkDesired(property, active.type, active.value);
      return null;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { code: codeOf(error), message: error.message };
    }
  }

  #expired(slot: Slot, active: Active): Slot {
    const step = active.state === "written" ? "written but not confirmed" : slot.busy ? "being written" : "not written";
    const isHeld = active.version > 0 && slot.hold !== null;
    const trouble = isHeld ? `${slot.hold!.holder} holds it since then or before` : active.trouble?.message;
    const why = trouble === undefined ? "" : `: ${trouble}`;
    const which = active.version > 0 ? ` version ${active.version}` : "";
    const message = `Time to live of "${slot.property}"${which} ended, ${step}${why}`;
    return this.#ended(slot, active, "expired", { code: "twin/expired", message });
  }

  /** An access has come to its end; null when a newer version took over or this one ended meanwhile. */
  #settled(access: Access): { key: string; slot: Slot; active: Active } | null {
    const key = slotKey(access.device, access.property);
    const held = this.#get(key);
    if (held === undefined) return null;
    const slot = { ...held, busy: false };
    this.#put(key, slot, false);
    const active = activeOf(slot, access.version);
    if (active !== null) return { key, slot, active };
    this.look(key);
    return null;
  }

  #wait(key: string, slot: Slot, active: Active, trouble: Reason): void {
    const turn = active.failures + active.mismatches - 1;
    const backOffMs = Math.min(longestBackOffMs, firstBackOffMs * 2 ** Math.min(turn, 10));
    const waitUntil = this.#context.now + backOffMs * 1000;
    this.#put(key, withActive(slot, { ...active, waitUntil, trouble }), false);
    this.look(key);
  }

  #begin({ version, type, value }: Pick<DesiredValue, "version" | "type" | "value">, leftMs: number): Active {
    return {
      ...{ version, type, value, state: "pending", next: "write", waitUntil: 0, failures: 0, mismatches: 0 },
      ...{ trouble: null, life: lifeOf(leftMs, this.#context), takenAt: this.#context.time, writtenAt: null },
    };
  }

  /** The slot with this value at its end; what the cloud set is reported to it. */
  #ended(slot: Slot, active: Active, state: End["state"], trouble: Reason | null, value: Value = null): Slot {
    const end = endOf(slot, active, { state, trouble, value, time: this.#context.time });
    if (active.version < 0) return { ...slot, local: null, localEnd: end };
    const { takenAt, writtenAt, ...report } = end;
    return { ...slot, active: null, end, reports: this.#add(slot, report) };
  }

  #add(slot: Slot, report: DesiredReport): readonly DesiredReport[] {
    const reports = [...slot.reports, report];
    const kept = reports.slice(-reportsPerSlot);
    this.#reportsDropped += reports.length - kept.length;
    return kept;
  }

  #get(key: string): Slot | undefined {
    return this.#changed.get(key) ?? this.#before.get(key);
  }

  #put(key: string, slot: Slot, durable = true): void {
    this.#changed.set(key, slot);
    if (!durable) return;
    this.#durable.add(key);
    const asNow = (active: Active | null): Active | null =>
      active && { ...active, life: lifeNow(active.life, this.#context) };
    const hold = slot.hold && { ...slot.hold, life: slot.hold.life && lifeNow(slot.hold.life, this.#context) };
    this.#changed.set(key, { ...slot, active: asNow(slot.active), local: asNow(slot.local), hold });
  }
}
