import {
  AppError,
  type CallOutcome,
  type CallReport,
  type DeviceUid,
  type LocalCall,
  type LocalTwin,
  limits,
  type MethodCall,
} from "@penstock/model";
import { type Journal, sleep } from "@penstock/runtime";
import { type CallEntry, type CallMap, type CallRecord, openCallsJournal } from "./calls-journal.ts";
import type { DesiredOptions } from "./desired.ts";
import { ended, runCall } from "./run-call.ts";

const file = "edge/src/twin/calls.ts";
const diskRetryMs = 1000;

export interface CallsOptions extends DesiredOptions {
  /** who holds a property with a value set here; null = nobody */
  holderOf(device: DeviceUid, property: string): string | null;
}

export interface Calls extends Pick<LocalTwin, "callHere"> {
  /** resolves when they are on disk; then those that are new are carried out, each at most once */
  take(calls: readonly MethodCall[]): Promise<void>;
  /** ended, on disk, not yet taken by the cloud; oldest first */
  pendingReports(): readonly CallReport[];
  onReport(listener: () => void): () => void;
  reportsTaken(ids: readonly string[]): Promise<void>;
  /** resolves when nothing is in flight */
  close(): Promise<void>;
}

/**
 * Methods of devices, at most once: a call is on disk before anything reaches the device, and what was under way when the
 * agent ended is never begun again but ends unknown. Ids are remembered, so that a call that comes twice is one call.
 *
 * @throws AppError data/… when the journal cannot be read or written
 */
export async function openCalls(options: CallsOptions): Promise<Calls> {
  const calls = new CallKeeper(options, await openCallsJournal(options));
  await calls.endOrphans();
  return calls;
}

class CallKeeper implements Calls {
  readonly #options: CallsOptions;
  readonly #journal: Journal<CallMap, CallEntry>;
  readonly #closing = new AbortController();
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #listeners = new Set<() => void>();
  /** calls that run, of the cloud and of this gateway, by device */
  readonly #underWay = new Map<DeviceUid, number>();
  /** on their way to the disk: the same call may come again meanwhile */
  readonly #taking = new Set<string>();

  constructor(options: CallsOptions, journal: Journal<CallMap, CallEntry>) {
    this.#options = options;
    this.#journal = journal;
  }

  async endOrphans(): Promise<void> {
    const text = "The gateway ended while the call was under way; nobody can say whether the device acted";
    const outcome = ended("unknown", "twin/outcome-unknown", text);
    const orphans = [...this.#journal.state.values()].filter(({ report }) => report === null);
    for (const record of orphans) this.#track(this.#end(record, outcome));
  }

  async take(calls: readonly MethodCall[]): Promise<void> {
    const { clock } = this.#options;
    const known = this.#journal.state;
    const fresh = calls.filter(({ id }) => !known.has(id) && !this.#taking.has(id));
    const records = fresh.map(({ id, device, method }): CallRecord => {
      return { id, device, method, takenAt: clock.now(), report: null, isTold: false };
    });
    // The cloud asks again for what it believes not to have: it is told once more.
    const again = calls.flatMap(({ id }): CallRecord[] => {
      const record = known.get(id);
      return record?.isTold === true ? [{ ...record, isTold: false }] : [];
    });
    if (fresh.length + again.length === 0) return;
    const came = clock.monotonic();
    for (const { id } of fresh) this.#taking.add(id);
    try {
      await this.#journal.append({ calls: [...records, ...again], forgotten: this.#tooMany(records.length) });
    } finally {
      for (const { id } of fresh) this.#taking.delete(id);
    }
    if (again.length > 0) this.#tell();
    const waitedMs = (clock.monotonic() - came) / 1000;
    fresh.forEach(
      (call, i) => void this.#track(this.#carryOut(records[i]!, { ...call, ttlMs: call.ttlMs - waitedMs })),
    );
  }

  pendingReports(): readonly CallReport[] {
    return [...this.#journal.state.values()].flatMap(({ report, isTold }) =>
      report === null || isTold ? [] : [report],
    );
  }

  onReport(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async reportsTaken(ids: readonly string[]): Promise<void> {
    const calls = ids.flatMap((id): CallRecord[] => {
      const record = this.#journal.state.get(id);
      if (record === undefined || record.report === null || record.isTold) return [];
      // The id must stay known; a result of 64 kB need not.
      return [{ ...record, isTold: true, report: { ...record.report, value: null, steps: [] } }];
    });
    if (calls.length > 0) await this.#journal.append({ calls, forgotten: [] });
  }

  callHere(call: LocalCall): Promise<CallOutcome> {
    const trace = `${call.device}/${call.method}`;
    return this.#track(this.#run(call, trace));
  }

  async close(): Promise<void> {
    this.#closing.abort(new AppError("aborted", "Cannot end the call: the gateway stops"));
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
    await this.#journal.close();
  }

  async #carryOut(record: CallRecord, call: MethodCall): Promise<void> {
    const { log } = this.#options;
    const trace = `${call.device}/${call.id}`;
    if (log.tracing) log.trace({ file, id: trace }, "Call is on disk");
    await this.#end(record, await this.#run(call, trace));
  }

  async #run({ device: uid, method: name, arguments: given, ttlMs }: LocalCall, trace: string): Promise<CallOutcome> {
    const { clock, lookup, access, holderOf, metrics } = this.#options;
    const device = lookup(uid);
    const method = device?.methods.find((one) => one.name === name);
    if (device === null || method === undefined) {
      return ended("failed", "twin/unknown-method", `Cannot call "${name}": no such method at this gateway`);
    }
    if (ttlMs <= 0) return ended("expired", "twin/expired", `"${name}" did not reach the gateway in its time`);
    const underWay = this.#underWay.get(uid) ?? 0;
    if (underWay >= limits.callsPerDevice) {
      const text = `Cannot call "${name}": ${limits.callsPerDevice} calls of "${device.name}" are under way`;
      return ended("failed", "request/too-many", text);
    }
    this.#underWay.set(uid, underWay + 1);
    metrics.counter("penstock_twin_calls_total", "Calls of methods begun").add();
    const over = new AbortController();
    const cancel = clock.after(Math.ceil(ttlMs), () =>
      over.abort(new AppError("mapper/timeout", `"${name}" did not end in its time`)),
    );
    try {
      const signal = AbortSignal.any([over.signal, this.#closing.signal]);
      return await runCall({ device, method, arguments: given, access, holderOf, signal, trace });
    } finally {
      cancel();
      const left = this.#underWay.get(uid)! - 1;
      if (left > 0) this.#underWay.set(uid, left);
      else this.#underWay.delete(uid);
    }
  }

  /** On disk before anybody hears of it; a disk that refuses is asked again until the gateway stops. */
  async #end(record: CallRecord, outcome: CallOutcome): Promise<void> {
    const { clock, log, metrics } = this.#options;
    const { id, device } = record;
    const report: CallReport = { id, device, ...outcome, time: clock.now() };
    for (;;) {
      try {
        await this.#journal.append({ calls: [{ ...record, report }], forgotten: [] });
        break;
      } catch (error) {
        log.warn({ error, id }, "Cannot journal the end of a call");
        if (this.#closing.signal.aborted) return;
        await sleep(clock, diskRetryMs, this.#closing.signal).catch(() => undefined);
      }
    }
    const { state, reason } = report;
    metrics.counter("penstock_twin_calls_ended_total", "Calls of methods that ended", { state }).add();
    if (log.tracing) log.trace({ file, id: `${device}/${id}`, state, reason }, "Call has ended");
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** The oldest ids go when there are too many: a call as old as that has expired in the cloud long ago. */
  #tooMany(more: number): string[] {
    const settled = [...this.#journal.state.values()].filter(({ isTold }) => isTold);
    const surplus = this.#journal.state.size + more - limits.callsRemembered;
    return settled.slice(0, Math.max(0, surplus)).map(({ id }) => id);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => this.#inFlight.delete(tracked));
    this.#inFlight.add(tracked);
    return tracked;
  }
}
