import {
  AppError,
  checkDesired,
  codeOf,
  type DesiredReport,
  type DesiredValue,
  type DeviceUid,
  isHeldAs,
  limits,
  type Micros,
  type Value,
  valueToText,
} from "@penstock/model";
import { type Active, lifeAfterRestart, lifeNow, lifeOf, type Slot, slotKey } from "./desired-slot.ts";
import type { Access, Context, Input, Slots, Step, Trouble } from "./desired-step.ts";

const firstBackOffMs = 200;
const longestBackOffMs = 5000;
/** a device that shows another value may still be taking it over; after the third time it has not */
const mismatchesAllowed = 3;
/** the oldest go first: the cloud knows that what is below the highest version was superseded */
export const reportsPerSlot = 32;

/**
 * The life of desired values: pending → written → confirmed, or failed, superseded, expired. Pure: the same slots, input
 * and context give the same step. The highest version wins whatever the order of arrival; per property one access is in
 * flight at a time, so that an older write never lands after a newer one.
 */
export function step(slots: Slots, input: Input, context: Context): Step {
  const machine = new Machine(slots, context);
  switch (input.t) {
    case "desired":
      for (const value of input.values) machine.desire(value);
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
    case "taken":
      for (const taken of input.taken) machine.taken(taken);
      break;
    case "look":
      for (const key of slots.keys()) machine.look(key);
      break;
    case "restart":
      for (const key of slots.keys()) machine.restart(key);
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
    for (const { active, busy } of this.#changed.values()) {
      if (active === null) continue;
      lookAt = Math.min(lookAt, active.life.deadline);
      if (!busy && active.waitUntil > 0) lookAt = Math.min(lookAt, active.waitUntil);
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
    const slot = this.#get(key) ?? emptySlot(device, property);
    if (version < slot.highest) {
      this.#tellSuperseded(key, slot, wanted);
      return;
    }
    const leftMs = Math.max(0, Math.min(wanted.ttlMs, limits.desiredTtlMaxMs));
    if (version === slot.highest) {
      this.#again(key, slot, leftMs);
      return;
    }
    const old = slot.active;
    const reports =
      old === null
        ? slot.reports
        : this.#add(
            slot,
            this.#report(slot, old, "superseded", {
              code: "twin/superseded",
              message: `Version ${version} took the place of version ${old.version}`,
            }),
          );
    this.#put(key, {
      ...slot,
      highest: version,
      end: null,
      reports,
      active: {
        version,
        type: wanted.type,
        value: wanted.value,
        state: "pending",
        next: "write",
        waitUntil: 0,
        failures: 0,
        mismatches: 0,
        trouble: null,
        life: lifeOf(leftMs, this.#context),
      },
    });
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
      this.#put(key, { ...slot, reports: this.#add(slot, end) });
    }
  }

  #tellSuperseded(key: string, slot: Slot, wanted: DesiredValue): void {
    // Its own end, if it had one that the cloud has not taken, goes up anyway and says more.
    if (slot.reports.some((report) => report.version === wanted.version && report.state !== "written")) return;
    const report = this.#report(slot, wanted, "superseded", {
      code: "twin/superseded",
      message: `Version ${slot.highest} came before version ${wanted.version}`,
    });
    this.#put(key, { ...slot, reports: this.#add(slot, report) });
  }

  written(access: Access): void {
    const found = this.#settled(access);
    if (found === null) return;
    const { key, slot, active } = found;
    const property = this.#context.find(slot.device, slot.property);
    if (property?.access === "write") {
      this.#end(key, slot, "written", null, active.value);
      return;
    }
    const reports =
      active.state === "written" ? slot.reports : this.#add(slot, this.#report(slot, active, "written", null));
    this.#put(
      key,
      { ...slot, reports, active: { ...active, state: "written", next: "read", failures: 0, waitUntil: 0 } },
      reports !== slot.reports,
    );
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
      this.#end(key, slot, "confirmed", null, value);
      return;
    }
    const mismatches = active.mismatches + 1;
    const trouble: Trouble = {
      code: "twin/not-confirmed",
      message: `Cannot confirm "${slot.property}": wrote ${valueToText(active.type, active.value)}, read back ${valueToText(active.type, value)}`,
      retriable: true,
    };
    if (mismatches >= mismatchesAllowed) {
      this.#end(key, slot, "failed", trouble, value);
      return;
    }
    this.#wait(key, { ...slot, active: { ...active, mismatches, next: "write" } }, trouble);
  }

  troubled(access: Access, trouble: Trouble): void {
    const settled = this.#settled(access);
    if (settled === null) return;
    const { key, slot, active } = settled;
    if (!trouble.retriable) {
      this.#end(key, slot, "failed", trouble);
      return;
    }
    this.#wait(key, { ...slot, active: { ...active, failures: active.failures + 1 } }, trouble);
  }

  taken(taken: Pick<DesiredReport, "device" | "property" | "version" | "state">): void {
    const key = slotKey(taken.device, taken.property);
    const slot = this.#get(key);
    if (slot === undefined) return;
    const reports = slot.reports.filter((report) => report.version !== taken.version || report.state !== taken.state);
    if (reports.length < slot.reports.length) this.#put(key, { ...slot, reports });
  }

  restart(key: string): void {
    const slot = this.#get(key)!;
    // Whether the last write arrived is not known, so it is made again: a desired value is a state.
    const active =
      slot.active === null
        ? null
        : {
            ...slot.active,
            next: "write" as const,
            waitUntil: 0,
            life: lifeAfterRestart(slot.active.life, this.#context),
          };
    this.#put(key, { ...slot, busy: false, active }, false);
    this.look(key);
  }

  /** Ends what has expired or may no longer be written; begins the next access where none is in flight. */
  look(key: string): void {
    const slot = this.#get(key)!;
    const { active } = slot;
    if (active === null) return;
    const { now } = this.#context;
    const broken = this.#broken(slot, active);
    if (broken !== null) {
      this.#end(key, slot, "failed", broken);
      return;
    }
    if (now >= active.life.deadline) {
      this.#expire(key, slot, active);
      return;
    }
    if (slot.busy || active.waitUntil > now) {
      // Put again only so that `step` sees when to look next.
      this.#put(key, slot, false);
      return;
    }
    this.#put(key, { ...slot, busy: true, active: { ...active, waitUntil: 0 } }, false);
    const { device, property } = slot;
    this.#accesses.push({ op: active.next, device, property, version: active.version, value: active.value });
  }

  /** Why the value may not be written as the device is now described. */
  #broken(slot: Slot, active: Active): Omit<Trouble, "retriable"> | null {
    const property = this.#context.find(slot.device, slot.property);
    if (property === null) {
      const message = `Cannot set "${slot.property}": the device has no such property, or is not at this gateway`;
      return { code: "twin/unknown-property", message };
    }
    try {
      checkDesired(property, active.type, active.value);
      return null;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { code: codeOf(error), message: error.message };
    }
  }

  #expire(key: string, slot: Slot, active: Active): void {
    const step = active.state === "written" ? "written but not confirmed" : slot.busy ? "being written" : "not written";
    const why = active.trouble === null ? "" : `: ${active.trouble.message}`;
    const message = `Time to live of "${slot.property}" version ${active.version} ended, ${step}${why}`;
    this.#end(key, slot, "expired", { code: "twin/expired", message });
  }

  /** An access has come to its end; null when a newer version took over or this one ended meanwhile. */
  #settled(access: Access): { key: string; slot: Slot; active: Active } | null {
    const key = slotKey(access.device, access.property);
    const held = this.#get(key);
    if (held === undefined) return null;
    const slot = { ...held, busy: false };
    this.#put(key, slot, false);
    if (slot.active === null || slot.active.version !== access.version) {
      this.look(key);
      return null;
    }
    return { key, slot, active: slot.active };
  }

  #wait(key: string, slot: Slot & { readonly active: Active }, trouble: Trouble): void {
    const { active } = slot;
    const turn = active.failures + active.mismatches - 1;
    const backOffMs = Math.min(longestBackOffMs, firstBackOffMs * 2 ** Math.min(turn, 10));
    const waitUntil = this.#context.now + backOffMs * 1000;
    const { code, message } = trouble;
    this.#put(key, { ...slot, active: { ...active, waitUntil, trouble: { code, message } } }, false);
    this.look(key);
  }

  #end(
    key: string,
    slot: Slot,
    state: DesiredReport["state"],
    trouble: Omit<Trouble, "retriable"> | null,
    value: Value = null,
  ): void {
    const end = this.#report(slot, slot.active!, state, trouble, value);
    this.#put(key, { ...slot, active: null, end, reports: this.#add(slot, end) });
  }

  #report(
    slot: Slot,
    of: Pick<DesiredReport, "version" | "type">,
    state: DesiredReport["state"],
    trouble: Omit<Trouble, "retriable"> | null,
    value: Value = null,
  ): DesiredReport {
    const last = slot.reports.at(-1)?.time ?? 0;
    return {
      device: slot.device,
      property: slot.property,
      version: of.version,
      state,
      reason: trouble?.code ?? null,
      message: trouble?.message ?? null,
      value,
      type: of.type,
      // Never before the one before it, though the wall clock of the run before may have been ahead.
      time: Math.max(last, this.#context.time) as Micros,
    };
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
    const { active } = slot;
    if (active !== null) {
      this.#changed.set(key, { ...slot, active: { ...active, life: lifeNow(active.life, this.#context) } });
    }
  }
}

function emptySlot(device: DeviceUid, property: string): Slot {
  return { device, property, highest: 0, active: null, end: null, reports: [], busy: false };
}
