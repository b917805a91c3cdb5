import {
  AppError,
  codeOf,
  type ErrorCode,
  sameValue,
  type Value,
  type ValueType,
  valueFromText,
  valueToText,
} from "@penstock/model";
import type { Cancel, Clock, Log } from "@penstock/runtime";
import { type DmiSource, toDmi } from "./dmi-device.ts";
import type { MapperClient, OpenClient } from "./mapper-client.ts";
import { nextStep, type Step } from "./next-step.ts";

/** A mapper as it has registered, kept over a restart of the agent. */
export interface Registration {
  readonly name: string;
  /** as the mapper writes it */
  readonly protocol: string;
  readonly version: string;
  /** absolute path of its socket */
  readonly address: string;
}
/** A device of one mapper, and a fingerprint of all that is told of it but wanted values. */
export interface WantedDevice extends DmiSource {
  readonly print: string;
}
/** A value that was written, as long as it is wanted. */
interface Desired {
  readonly text: string;
  /** a report has said so: another value after that is somebody's own doing */
  readonly isConfirmed: boolean;
}

export interface MapperLinkOptions {
  readonly registration: Registration;
  /** what it was told before the agent began */
  readonly held: ReadonlyMap<string, string>;
  readonly clock: Clock;
  readonly log: Log;
  readonly open: OpenClient;
  /** whether it runs or what it holds is other than before */
  readonly onChange: () => void;
  /** a call to it has ended; null = well */
  readonly onCall: (code: ErrorCode | null) => void;
}

const reconnect = { firstMs: 100, longestMs: 5000 } as const;
const refusal = { firstMs: 1000, longestMs: 60_000 } as const;

/**
 * One registered mapper: brings what it holds to what it shall hold, one call at a time, and again after every failure.
 * Nothing is forgotten while it is down, and nothing is told twice.
 */
export class MapperLink {
  registration: Registration;
  isUp = false;
  /** monotonic milliseconds; null while it runs */
  downSince: number | null;
  readonly #options: MapperLinkOptions;
  readonly #held: Map<string, string>;
  /** null until it is known: what it holds from before the agent began is not to be taken from it */
  #wanted: ReadonlyMap<string, WantedDevice> | null = null;
  readonly #desired = new Map<string, Map<string, Desired>>();
  readonly #paused = new Map<string, { readonly until: number; readonly failures: number }>();
  #client: { readonly path: string; readonly client: Promise<MapperClient> } | null = null;
  #isReady = false;
  #failures = 0;
  #working: Promise<void> | null = null;
  #turns: Promise<unknown> = Promise.resolve();
  #timer: Cancel = () => {};
  #isClosed = false;

  constructor(options: MapperLinkOptions) {
    this.#options = options;
    this.registration = options.registration;
    this.#held = new Map(options.held);
    this.downSince = this.#now();
    this.#kick();
  }

  get held(): ReadonlyMap<string, string> {
    return this.#held;
  }

  /** what it shall hold from now on */
  want(wanted: ReadonlyMap<string, WantedDevice>): void {
    this.#wanted = wanted;
    for (const key of this.#desired.keys()) if (!wanted.has(key)) this.#desired.delete(key);
    this.#kick();
  }

  /** A process of this name has begun, and holds what its answer says: nothing of what was told to the one before counts. */
  registered(registration: Registration, told: readonly string[]): void {
    this.registration = registration;
    this.#held.clear();
    this.#paused.clear();
    for (const key of told) this.#held.set(key, this.#wanted!.get(key)!.print);
    this.#failures = 0;
    // Its socket is another one, though the path may be the same.
    this.#dropClient();
    this.#setUp(true);
    this.#options.onChange();
    this.#kick();
  }

  /** wanted values of a device, as texts */
  desiredOf(key: string): ReadonlyMap<string, string> {
    return new Map([...(this.#desired.get(key) ?? [])].map(([property, { text }]) => [property, text]));
  }

  /** A report came. @returns the value that is wanted and not yet confirmed, if any */
  reported(key: string, property: { readonly name: string; readonly type: ValueType }, value: Value): void {
    const desired = this.#desired.get(key);
    const wanted = desired?.get(property.name);
    if (desired === undefined || wanted === undefined) return;
    const parsed = valueFromText(property.type, wanted.text);
    if (parsed.ok && sameValue(parsed.value, value)) desired.set(property.name, { ...wanted, isConfirmed: true });
    // Set at the machine since then: not to be undone by the next thing that is told of the device.
    else if (wanted.isConfirmed) desired.delete(property.name);
  }

  /** Resolves when the mapper has taken the values. @throws AppError mapper/… */
  async write(
    key: string,
    writes: readonly { readonly property: string; readonly type: ValueType; readonly value: Value }[],
  ): Promise<void> {
    const before = new Map(this.#desired.get(key));
    const written = this.#turn(async () => {
      const wanted = this.#wanted?.get(key);
      if (!this.isUp || wanted === undefined || !this.#held.has(key)) {
        throw new AppError(
          "mapper/stopped",
          `Cannot write to "${key}": mapper "${this.registration.name}" has not got it`,
        );
      }
      const desired = new Map(this.#desired.get(key));
      const isFirst = writes.some(({ property }) => !desired.has(property));
      for (const { property, type, value } of writes)
        desired.set(property, { text: valueToText(type, value), isConfirmed: false });
      this.#desired.set(key, desired);
      const { device, model } = toDmi(wanted, this.desiredOf(key));
      const client = await this.#ready();
      if (isFirst) await this.#counted(client.call("UpdateDeviceModel", { model }));
      await this.#counted(client.call("UpdateDevice", { device }));
      this.#held.set(key, wanted.print);
    });
    try {
      await written;
    } catch (error) {
      // Whoever writes tries again: nothing shall bring the value there behind his back.
      this.#desired.set(key, before);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer();
    this.#dropClient();
    await this.#working;
    await this.#turns.catch(() => {});
  }

  #kick(): void {
    if (this.#isClosed || this.#working !== null) return;
    this.#timer();
    this.#working = this.#work()
      .catch((error: unknown) => this.#options.log.error({ error }, "A DMI mapper could not be told its devices"))
      .finally(() => {
        this.#working = null;
        if (this.#step() !== null && this.#isReady) this.#later(0);
      });
  }

  async #work(): Promise<void> {
    for (;;) {
      if (this.#isClosed) return;
      try {
        await this.#ready();
      } catch (error) {
        if (this.#isClosed) return;
        const { firstMs, longestMs } = reconnect;
        if (this.#failures++ === 4) this.#options.log.info({ error }, "A DMI mapper's socket does not listen");
        return this.#later(Math.min(longestMs, firstMs * 2 ** Math.min(this.#failures, 20)));
      }
      const step = this.#step();
      if (step === null) return this.#wakeForPaused();
      await this.#turn(() => this.#do(step));
    }
  }

  #step(): Step | null {
    if (this.#wanted === null) return null;
    const prints = new Map([...this.#wanted].map(([key, { print }]) => [key, print]));
    const now = this.#now();
    return nextStep(this.#held, prints, (key) => (this.#paused.get(key)?.until ?? 0) > now);
  }

  async #do({ do: what, key }: Step): Promise<void> {
    try {
      const client = await this.#ready();
      if (what === "remove") {
        const [deviceNamespace, deviceName] = split(key);
        await this.#counted(client.call("RemoveDevice", { deviceName, deviceNamespace }));
        this.#held.delete(key);
        this.#options.onChange();
        await this.#counted(
          client.call("RemoveDeviceModel", { modelName: deviceName, modelNamespace: deviceNamespace }),
        );
      } else {
        const wanted = this.#wanted?.get(key);
        if (wanted === undefined) return;
        const { device, model } = toDmi(wanted, this.desiredOf(key));
        // A mapper waits for the model of a device for three seconds only, and when a device changes not at all.
        await this.#counted(client.call(what === "add" ? "CreateDeviceModel" : "UpdateDeviceModel", { model }));
        await this.#counted(client.call(what === "add" ? "RegisterDevice" : "UpdateDevice", { device }));
        this.#held.set(key, wanted.print);
        this.#options.onChange();
      }
      this.#paused.delete(key);
    } catch (error) {
      if (codeOf(error) === "mapper/connection-lost") return this.#lost();
      const failures = (this.#paused.get(key)?.failures ?? 0) + 1;
      const pauseMs = Math.min(refusal.longestMs, refusal.firstMs * 2 ** Math.min(failures - 1, 20));
      this.#paused.set(key, { until: this.#now() + pauseMs, failures });
      if (failures === 1) this.#options.log.warn({ device: key, error }, `A DMI mapper did not ${what} a device`);
    }
  }

  /** one call at a time, in the order of asking */
  #turn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turns.then(work, work);
    this.#turns = turn.catch(() => {});
    return turn;
  }

  async #counted(call: Promise<void>): Promise<void> {
    const { onCall } = this.#options;
    await call.then(
      () => onCall(null),
      (error: unknown) => {
        onCall(codeOf(error));
        throw error;
      },
    );
  }

  async #ready(): Promise<MapperClient> {
    const path = this.registration.address;
    if (this.#client === null) {
      const opened: { path: string; client: Promise<MapperClient> } = {
        path,
        client: this.#options.open({ path, onLost: () => this.#client === opened && this.#lost() }),
      };
      this.#client = opened;
    }
    const opened = this.#client;
    const client = await opened.client;
    await client.ready();
    if (this.#client !== opened || this.#isClosed) throw new AppError("mapper/connection-lost", "The mapper has gone");
    this.#isReady = true;
    this.#failures = 0;
    this.#setUp(true);
    return client;
  }

  #lost(): void {
    this.#isReady = false;
    this.#setUp(false);
    this.#later(reconnect.firstMs);
  }

  #setUp(isUp: boolean): void {
    if (this.isUp === isUp || this.#isClosed) return;
    this.isUp = isUp;
    this.downSince = isUp ? null : this.#now();
    const { name, protocol } = this.registration;
    if (isUp) this.#options.log.info({ dmiMapper: name, protocol }, "A DMI mapper runs");
    else this.#options.log.warn({ dmiMapper: name, protocol }, "A DMI mapper is gone");
    this.#options.onChange();
  }

  #dropClient(): void {
    const opened = this.#client;
    this.#client = null;
    this.#isReady = false;
    opened?.client.then(
      (client) => client.close(),
      () => {},
    );
  }

  #wakeForPaused(): void {
    const until = Math.min(...[...this.#paused.values()].map((one) => one.until));
    if (Number.isFinite(until)) this.#later(Math.max(1, until - this.#now()));
  }

  #later(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer();
    this.#timer = this.#options.clock.after(delayMs, () => this.#kick());
  }

  #now(): number {
    return this.#options.clock.monotonic() / 1000;
  }
}

/** The inverse of `dmiKey`: a namespace has no slash. */
function split(key: string): [namespace: string, name: string] {
  const at = key.indexOf("/");
  return [key.slice(0, at), key.slice(at + 1)];
}
