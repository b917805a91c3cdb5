import {
  AppError,
  codeOf,
  type DesiredReport,
  type DesiredValue,
  type DeviceAccess,
  type DeviceUid,
  type EffectiveDevice,
  type EffectiveProperty,
  invalid,
  isFinal,
  type LocalTwin,
  type LocalWrite,
  limits,
  type PropertyHold,
} from "@penstock/model";
import type { Cancel, Clock, Files, Journal, Log, Metrics } from "@penstock/runtime";
import { DesiredAccesses } from "./desired-accesses.ts";
import { openDesiredJournal, type SlotEntry, type SlotMap } from "./desired-journal.ts";
import { step } from "./desired-machine.ts";
import { SlotOverlay } from "./desired-overlay.ts";
import { desiredId, drivenOf, type End, type Slot, slotKey } from "./desired-slot.ts";
import type { Access, Context, Input } from "./desired-step.ts";
import { type DesiredView, holdOf, viewOf } from "./desired-view.ts";
import { LocalWaits } from "./local-waits.ts";

const file = "edge/src/twin/desired.ts";
const diskRetryMs = 1000;
const inputsPerAppend = 1000;
/** looks that fall close together are made in one */
const lookGrainMs = 10;

export interface DesiredOptions {
  readonly files: Files;
  /** the journal's own folder */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly access: DeviceAccess;
  lookup(device: DeviceUid): EffectiveDevice | null;
  readonly machine: MachineAtStart;
}

/** The machine as this process finds it. */
export interface MachineAtStart {
  /** which boot it is, see `machineBoot` of runtime; null where the system does not say */
  readonly boot: string | null;
  /** its clock has been set since it had power */
  readonly isTimeTrusted: boolean;
}

export interface Desired extends Pick<LocalTwin, "setLocally" | "release"> {
  /** resolves when the values are on disk; rejects with data/disk-full or data/write-failed, and then holds none of them */
  take(values: readonly DesiredValue[]): Promise<void>;
  /** on disk, not yet taken by the cloud, oldest first */
  pendingReports(): readonly DesiredReport[];
  onReport(listener: () => void): () => void;
  reportsTaken(taken: readonly Pick<DesiredReport, "device" | "property" | "version" | "state">[]): Promise<void>;
  of(device: DeviceUid): readonly DesiredView[];
  holds(): readonly PropertyHold[];
  onHolds(listener: () => void): () => void;
  /** the assigned set has changed */
  devicesChanged(): void;
  /** resolves when no access and no write is in flight; what has not ended goes on at the next start */
  close(): Promise<void>;
}

export async function openDesired(options: DesiredOptions): Promise<Desired> {
  const journal = await openDesiredJournal(options);
  const loop = new DesiredLoop(options, journal);
  loop.push({ t: "restart", isTimeTrusted: options.machine.isTimeTrusted });
  return loop;
}

/** An input on its way through the machine; `done` when somebody waits for it to be on disk. */
interface Queued {
  readonly input: Input;
  /** monotonic */
  readonly cameAt: number;
  readonly done?: { resolve(): void; reject(error: unknown): void };
}

/** The thin loop around the machine: inputs in, one append for all that came meanwhile, then the accesses. */
class DesiredLoop implements Desired {
  readonly #options: DesiredOptions;
  readonly #journal: Journal<SlotMap, SlotEntry>;
  readonly #slots: Map<string, Slot>;
  /** bounded by its makers: one per access in flight (one a property), one look, and what link and cloud have in flight */
  #queue: Queued[] = [];
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #closed = false;
  readonly #closing = new AbortController();
  readonly #accesses: DesiredAccesses;
  readonly #holdListeners = new Set<() => void>();
  readonly #held = new Set<string>();
  readonly #localWaits: LocalWaits;
  readonly #listeners = new Set<() => void>();
  readonly #reporting = new Set<string>();
  #lookAt = Number.POSITIVE_INFINITY;
  #cancelLook: Cancel = () => {};
  #cancelRetry: Cancel = () => {};

  constructor(options: DesiredOptions, journal: Journal<SlotMap, SlotEntry>) {
    this.#options = options;
    this.#journal = journal;
    this.#slots = new Map(journal.state);
    for (const [key, slot] of this.#slots) {
      if (slot.reports.length > 0) this.#reporting.add(key);
      if (slot.hold !== null) this.#held.add(key);
    }
    this.#localWaits = new LocalWaits(this.#slots);
    this.#accesses = new DesiredAccesses({
      ...options,
      closing: this.#closing.signal,
      wantedUntil: (access) => this.#wantedUntil(access),
      ended: (inputs) => this.push(...inputs),
    });
  }

  take(values: readonly DesiredValue[]): Promise<void> {
    for (const { version, ttlMs } of values) {
      if (!Number.isSafeInteger(version) || version < 1) {
        return Promise.reject(
          invalid([{ field: "version", value: String(version), rule: "must be a whole number from 1" }]),
        );
      }
      if (!Number.isFinite(ttlMs)) {
        return Promise.reject(invalid([{ field: "ttlMs", value: String(ttlMs), rule: "must be milliseconds" }]));
      }
    }
    return this.#wait({ t: "desired", values });
  }

  reportsTaken(taken: readonly Pick<DesiredReport, "device" | "property" | "version" | "state">[]): Promise<void> {
    return this.#wait({ t: "taken", taken });
  }

  pendingReports(): readonly DesiredReport[] {
    const reports: DesiredReport[] = [];
    for (const key of this.#reporting) reports.push(...this.#slots.get(key)!.reports);
    return reports.sort((a, b) => a.time - b.time);
  }

  onReport(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  of(device: DeviceUid): readonly DesiredView[] {
    return [...this.#slots.values()].filter((slot) => slot.device === device).map(viewOf);
  }

  async setLocally(write: LocalWrite): Promise<{ readonly ended: Promise<End> }> {
    const key = slotKey(write.device, write.property);
    if (this.#held.size >= limits.holdsPerNode && !this.#held.has(key)) {
      const text = `Cannot set "${write.property}" here: ${limits.holdsPerNode} properties are held already`;
      throw new AppError("request/too-many", text);
    }
    const { version, ended } = this.#localWaits.next(key);
    try {
      await this.#wait({ t: "local", write: { ...write, version } });
    } catch (error) {
      this.#localWaits.forget(version);
      throw error;
    }
    return { ended };
  }

  async release(device: DeviceUid, property: string): Promise<boolean> {
    if (!this.#held.has(slotKey(device, property))) return false;
    await this.#wait({ t: "release", device, property });
    return true;
  }

  holds(): readonly PropertyHold[] {
    return [...this.#held].map((key) => holdOf(this.#slots.get(key)!));
  }

  onHolds(listener: () => void): () => void {
    this.#holdListeners.add(listener);
    return () => this.#holdListeners.delete(listener);
  }

  /** While a write waited for the disk or for its turn a newer value may have come, or a value set here. */
  #wantedUntil({ device, property, version }: Access): number {
    const slot = this.#slots.get(slotKey(device, property));
    const driven = slot === undefined ? null : drivenOf(slot);
    return driven?.version === version ? driven.life.deadline : 0;
  }

  devicesChanged(): void {
    this.push({ t: "look" });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelLook();
    this.#cancelRetry();
    this.#closing.abort(new AppError("aborted", "Cannot end the access to the device: the gateway stops"));
    await this.#accesses.idle();
    await this.#running;
    for (const { done } of this.#queue.splice(0)) done?.reject(stopped());
    await this.#journal.close();
  }

  push(...inputs: readonly Input[]): void {
    const cameAt = this.#options.clock.monotonic();
    this.#enqueue(inputs.map((input) => ({ input, cameAt })));
  }

  #wait(input: Input): Promise<void> {
    const cameAt = this.#options.clock.monotonic();
    return new Promise((resolve, reject) => this.#enqueue([{ input, cameAt, done: { resolve, reject } }]));
  }

  #enqueue(queued: readonly Queued[]): void {
    if (this.#closed) {
      for (const { done } of queued) done?.reject(stopped());
      return;
    }
    this.#queue.push(...queued);
    this.#run();
  }

  #run(): void {
    if (this.#isRunning || this.#closed) return;
    this.#cancelRetry();
    this.#isRunning = true;
    this.#running = this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0 && !this.#closed) {
      const batch = this.#queue.splice(0, inputsPerAppend);
      const overlay = new SlotOverlay(this.#slots);
      const accesses: Access[] = [];
      let lookAt = Number.POSITIVE_INFINITY;
      let reportsDropped = 0;
      // One moment for all of them: the outcomes of one round trip are due together again, and go together.
      const context = this.#context();
      for (const { input, cameAt } of batch) {
        const made = step(overlay, withTimeLeft(input, context.now - cameAt), context);
        overlay.put(made.slots, made.durable);
        accesses.push(...made.accesses);
        lookAt = Math.min(lookAt, made.lookAt);
        reportsDropped += made.reportsDropped;
      }
      try {
        const slots = [...overlay.durable].map((key) => overlay.get(key)!);
        if (slots.length > 0) await this.#journal.append({ slots });
      } catch (error) {
        this.#undo(batch, error);
        break;
      }
      // Only now may anybody learn of it: a desired change is on disk before it is announced.
      this.#commit(overlay);
      if (reportsDropped > 0) {
        const help = "Reports of superseded desired values that the cloud did not take in time";
        this.#options.metrics.counter("penstock_twin_reports_dropped_total", help).add(reportsDropped);
      }
      for (const { done } of batch) done?.resolve();
      this.#accesses.start(accesses);
      this.#schedule(lookAt);
    }
    this.#isRunning = false;
  }

  /** Nothing of the batch has happened. Who waits is told; the rest comes again when the disk may have room. */
  #undo(batch: readonly Queued[], error: unknown): void {
    this.#options.log.warn({ code: codeOf(error), error }, "Cannot journal desired values");
    const again = batch.filter(({ done }) => done === undefined);
    for (const { done } of batch) done?.reject(error);
    this.#queue = [...again, ...this.#queue];
    this.#cancelRetry = this.#options.clock.after(diskRetryMs, () => this.#run());
  }

  #commit(overlay: SlotOverlay): void {
    let reported = false;
    let isHoldNew = false;
    for (const [key, slot] of overlay.changed) {
      const before = this.#slots.get(key);
      this.#slots.set(key, slot);
      if (slot.reports.length > 0) this.#reporting.add(key);
      else this.#reporting.delete(key);
      if (before === undefined || before.highest < slot.highest) this.#traceTaken(slot);
      if (holdText(before) !== holdText(slot)) isHoldNew = true;
      if (slot.hold !== null) this.#held.add(key);
      else this.#held.delete(key);
      for (const report of slot.reports) {
        if (before?.reports.includes(report) === true) continue;
        reported = true;
        this.#count(report);
      }
    }
    if (reported) for (const listener of this.#listeners) listener();
    if (isHoldNew) for (const listener of this.#holdListeners) listener();
    this.#localWaits.look(overlay.changed);
  }

  #traceTaken(slot: Slot): void {
    const { log } = this.#options;
    if (log.tracing) log.trace({ file, id: desiredId({ ...slot, version: slot.highest }) }, "Desired value is on disk");
  }

  #count(report: DesiredReport): void {
    const { log, metrics } = this.#options;
    metrics.counter("penstock_twin_reports_total", "Steps of desired values", { state: report.state }).add();
    if (log.tracing) {
      const { state, reason } = report;
      log.trace({ file, id: desiredId(report), state, reason, final: isFinal(state) }, "Desired value made a step");
    }
  }

  #schedule(lookAt: number): void {
    if (lookAt >= this.#lookAt) return;
    this.#cancelLook();
    this.#lookAt = lookAt;
    const delayMs = Math.max(lookGrainMs, Math.ceil((lookAt - this.#options.clock.monotonic()) / 1000));
    this.#cancelLook = this.#options.clock.after(delayMs, () => {
      this.#lookAt = Number.POSITIVE_INFINITY;
      this.push({ t: "look" });
    });
  }

  #context(): Context {
    const { clock, lookup, machine } = this.#options;
    return {
      now: clock.monotonic(),
      time: clock.now(),
      boot: machine.boot,
      find: (device, property) => propertyOf(lookup(device), property),
    };
  }
}

/** A slow disk kept it waiting: that is gone from the time to live. */
function withTimeLeft(input: Input, waitedMicros: number): Input {
  const waitedMs = waitedMicros / 1000;
  if (input.t === "local") return { ...input, write: { ...input.write, ttlMs: input.write.ttlMs - waitedMs } };
  if (input.t !== "desired") return input;
  return { ...input, values: input.values.map((value) => ({ ...value, ttlMs: value.ttlMs - waitedMs })) };
}

function holdText(slot: Slot | undefined): string {
  const hold = slot?.hold ?? null;
  return hold === null ? "" : `${hold.since} ${hold.holder}`;
}

/** A described device never changes: an edit makes a new one. */
const propertiesByName = new WeakMap<EffectiveDevice, ReadonlyMap<string, EffectiveProperty>>();

function propertyOf(device: EffectiveDevice | null, name: string): EffectiveProperty | null {
  if (device === null) return null;
  let properties = propertiesByName.get(device);
  if (properties === undefined) {
    properties = new Map(device.properties.map((property) => [property.name, property]));
    propertiesByName.set(device, properties);
  }
  return properties.get(name) ?? null;
}

function stopped(): AppError {
  return new AppError("aborted", "Cannot take desired values: the gateway stops");
}
