import { AppError, codeOf, type DeviceAccess, type DeviceUid, isRetriable } from "@penstock/model";
import type { Clock, Log, Metrics } from "@penstock/runtime";
import { desiredId } from "./desired-slot.ts";
import type { Access, Input } from "./desired-step.ts";

const file = "edge/src/twin/desired.ts";
/** an access that has not ended by then is called off; collect's own time-outs are shorter */
const accessTimeoutMs = 30_000;

interface Options {
  readonly access: DeviceAccess;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly closing: AbortSignal;
  /** of a write, asked right before it begins: monotonic time until which it may reach the device; 0 = not any more */
  wantedUntil(access: Access): number;
  /** the answers of one round trip, so that they are journalled together */
  ended(inputs: readonly Input[]): void;
}

/**
 * Accesses to devices for desired values. All writes of one device that are due go in one `DeviceAccess.write`; those that
 * become due while one is under way go together in the next. Reads back go by themselves.
 */
export class DesiredAccesses {
  readonly #options: Options;
  /** of devices that are being written, what waits for that: at most one write a property */
  readonly #waiting = new Map<DeviceUid, Access[]>();
  readonly #inFlight = new Set<Promise<void>>();

  constructor(options: Options) {
    this.#options = options;
  }

  start(accesses: readonly Access[]): void {
    const due = new Map<DeviceUid, Access[]>();
    const notBegun: Input[] = [];
    for (const access of accesses) {
      if (access.op === "read") {
        this.#begin([access], (signal) => this.#read(access, signal));
        continue;
      }
      if (!this.#isWanted(access)) {
        notBegun.push({ t: "not-begun", access });
        continue;
      }
      const together = this.#waiting.get(access.device) ?? due.get(access.device);
      if (together === undefined) due.set(access.device, [access]);
      else together.push(access);
    }
    for (const [device, writes] of due) this.#write(device, writes);
    if (notBegun.length > 0) this.#options.ended(notBegun);
  }

  /** resolves when nothing is in flight */
  async idle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }

  #write(device: DeviceUid, writes: readonly Access[]): void {
    this.#waiting.set(device, []);
    const values = writes.map(({ property, value }) => ({ property, value }));
    const written = async (signal: AbortSignal): Promise<Input[]> => {
      const outcomes = await this.#options.access.write(device, values, signal, desiredId(writes[0]!));
      return writes.map((access, i) => {
        const error = outcomes[i];
        if (error === null) return { t: "written", access };
        return this.#trouble(access, error ?? new AppError("mapper/bad-answer", `No outcome for "${access.property}"`));
      });
    };
    // What waits for its turn on the line shall not be written late; what is left of the others goes again without it.
    const until = Math.min(...writes.map((access) => this.#options.wantedUntil(access)));
    this.#begin(writes, written, { until, after: () => this.#next(device) });
  }

  #isWanted(access: Access): boolean {
    return this.#options.clock.monotonic() < this.#options.wantedUntil(access);
  }

  /** The write of a device has ended: what waited for it goes, unless it is not wanted any more. */
  #next(device: DeviceUid): void {
    const waited = this.#waiting.get(device)!;
    this.#waiting.delete(device);
    if (this.#options.closing.aborted) return;
    const wanted = waited.filter((access) => this.#isWanted(access));
    const others = waited.filter((access) => !wanted.includes(access));
    if (wanted.length > 0) this.#write(device, wanted);
    if (others.length > 0) this.#options.ended(others.map((access) => ({ t: "not-begun", access })));
  }

  async #read(access: Access, signal: AbortSignal): Promise<Input[]> {
    const { device, property } = access;
    const value = await this.#options.access.read(device, property, signal, desiredId(access));
    return [{ t: "found", access, value }];
  }

  /** One round trip. */
  #begin(
    trip: readonly Access[],
    work: (signal: AbortSignal) => Promise<Input[]>,
    {
      until = Number.POSITIVE_INFINITY,
      after = () => {},
    }: { readonly until?: number; readonly after?: () => void } = {},
  ): void {
    const { clock, log, metrics, closing } = this.#options;
    const { op } = trip[0]!;
    const help = "Accesses to devices for desired values";
    metrics.counter("penstock_twin_accesses_total", help, { op }).add();
    if (log.tracing) {
      for (const access of trip) log.trace({ file, id: desiredId(access), op }, "Access to the device begins");
    }
    const calledOff = new AbortController();
    const leftMs = Math.max(0, (until - clock.monotonic()) / 1000);
    const cancel = clock.after(Math.min(accessTimeoutMs, leftMs), () => {
      const names = trip.map(({ property }) => `"${property}"`).join(", ");
      const why = leftMs < accessTimeoutMs ? "no end in time" : "no end after 30 s";
      calledOff.abort(new AppError("mapper/timeout", `Cannot ${op} ${names}: ${why}`));
    });
    const ended = work(AbortSignal.any([calledOff.signal, closing]))
      .catch((error: unknown) => trip.map((access) => this.#trouble(access, error)))
      .then((inputs) => {
        cancel();
        this.#inFlight.delete(ended);
        after();
        this.#options.ended(inputs);
      });
    this.#inFlight.add(ended);
  }

  #trouble(access: Access, error: unknown): Input {
    if (!(error instanceof AppError)) this.#options.log.error({ error, id: desiredId(access) }, "Device access failed");
    const message = error instanceof AppError ? error.message : `Cannot ${access.op} "${access.property}"`;
    return { t: "trouble", access, trouble: { code: codeOf(error), message, retriable: isRetriable(error) } };
  }
}
