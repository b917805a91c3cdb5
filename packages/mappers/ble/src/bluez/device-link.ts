import type { DriverClock, DriverLog } from "@penstock/mapper-sdk";
import { AppError, type LineSettings } from "@penstock/model";
import type { Address } from "../fields.ts";
import { within } from "../within.ts";
import type { Adapter } from "./adapter.ts";
import { findDevice, isMeant, shownAddress } from "./find-device.ts";
import { deviceInterface } from "./names.ts";
import { isTrue, type ObjectChange } from "./objects.ts";
import type { Scanner } from "./scanner.ts";
import type { Turns } from "./turns.ts";

export interface DeviceLinkOptions {
  readonly adapter: Adapter;
  readonly scanner: Scanner;
  /** of the adapter: one device is being connected at a time, since controllers refuse a second */
  readonly connecting: Turns;
  readonly address: Address;
  readonly mayScan: boolean;
  readonly scanMs: number;
  readonly connectMs: number;
  readonly line: LineSettings;
  readonly clock: DriverClock;
  readonly log: DriverLog;
}
/** Told what becomes of the link. */
export interface LinkWatcher {
  /** connected, its services known */
  there(path: string): void;
  /** gone, or not to be had; told at each failure */
  away(error: AppError): void;
}
type State =
  | { readonly is: "away" }
  | { readonly is: "coming"; readonly attempt: Promise<void> }
  | { readonly is: "there"; readonly path: string };

/**
 * The way to one device: found, connected, kept, and connected again with growing pauses while somebody watches. Without a
 * watcher it is connected when it is next asked for.
 */
export class DeviceLink {
  readonly #options: DeviceLinkOptions;
  readonly #watchers = new Set<LinkWatcher>();
  readonly #closing = new AbortController();
  readonly #unwatch: () => void;
  #state: State = { is: "away" };
  #failures = 0;
  #failure: { readonly error: AppError; readonly until: number } | null = null;
  #cancelRetry = () => {};
  /** its path, when the connection was made by us and is to be ended by us */
  #ours: string | null = null;

  constructor(options: DeviceLinkOptions) {
    this.#options = options;
    this.#unwatch = options.adapter.watch((change) => this.#see(change));
  }

  /** where it is, while it is connected */
  get path(): string | null {
    return this.#state.is === "there" ? this.#state.path : null;
  }

  /** @throws AppError mapper/bad-address when several are meant */
  find(): string | null {
    const { adapter, address } = this.#options;
    return findDevice(adapter.objects, adapter.path, address);
  }

  isMeant(path: string): boolean {
    return isMeant(this.#options.address, this.#options.adapter.objects.of(path, deviceInterface));
  }

  /**
   * Resolves when it is connected and its services are known.
   *
   * @throws AppError mapper/device-offline, also after `ms`, an answer's time-out unless stated; it is then still being connected
   */
  ready(signal?: AbortSignal, ms = this.#options.line.timeoutMs): Promise<void> {
    if (this.#state.is === "there") return Promise.resolve();
    if (this.#closing.signal.aborted) return Promise.reject(new AppError("aborted", "The connection was closed"));
    const { clock, address } = this.#options;
    if (this.#state.is === "away" && this.#failure !== null && clock.monotonic() < this.#failure.until)
      return Promise.reject(this.#failure.error);
    const late = () =>
      new AppError("mapper/device-offline", `Cannot reach ${shownAddress(address)}: it is still being connected`);
    return within(this.#begin(), { clock, ms, signal, late });
  }

  /** Keeps it connected until the returned function is called. That it is there already is not told. */
  watch(watcher: LinkWatcher): () => void {
    this.#watchers.add(watcher);
    if (this.#state.is === "away") this.#retryLater();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#cancelRetry();
    };
  }

  async close(): Promise<void> {
    this.#unwatch();
    this.#cancelRetry();
    this.#watchers.clear();
    this.#closing.abort(new AppError("aborted", "The connection was closed"));
    if (this.#state.is === "coming") await this.#state.attempt.catch(() => {});
    this.#state = { is: "away" };
    if (this.#ours !== null) await this.#disconnect(this.#ours);
  }

  #begin(): Promise<void> {
    if (this.#state.is === "coming") return this.#state.attempt;
    this.#cancelRetry();
    const attempt = this.#come().then(
      (path) => this.#arrive(path),
      (cause: unknown) => {
        const error = cause instanceof AppError ? cause : new AppError("internal", "Cannot connect", { cause });
        this.#fail(error);
        throw error;
      },
    );
    // Whoever waits hears of it; they may all have given up by then.
    attempt.catch(() => {});
    this.#state = { is: "coming", attempt };
    return attempt;
  }

  async #come(): Promise<string> {
    const { adapter, connecting, connectMs, address } = this.#options;
    const path = this.find() ?? (await this.#lookFor());
    const { signal } = this.#closing;
    const device = () => adapter.objects.of(path, deviceInterface);
    if (!isTrue(device(), "Connected")) {
      await connecting.take(async () => {
        this.#ours = path;
        const what = `connect ${shownAddress(address)}`;
        try {
          await adapter.ask(path, deviceInterface, "Connect", { what, timeoutMs: connectMs, signal });
        } catch (error) {
          // bluetoothd goes on trying unless it is told, and then nobody else gets a turn.
          await this.#disconnect(path);
          throw asOffline(error);
        }
      }, signal);
    }
    await this.#until(
      ({ path: where, interface: name, changed }) => {
        if (where !== path || name !== deviceInterface) return false;
        return changed === null || changed.get("Connected") === false ? "gone" : isTrue(device(), "ServicesResolved");
      },
      isTrue(device(), "ServicesResolved"),
      { ms: connectMs, why: "its services are not known yet" },
    );
    return path;
  }

  async #lookFor(): Promise<string> {
    const { adapter, scanner, scanMs, mayScan, address } = this.#options;
    if (!mayScan) throw offline(address, "the adapter does not know it, and scan is never");
    const stop = scanner.want();
    try {
      const isFound = (change: ObjectChange) => change.interface === deviceInterface && this.isMeant(change.path);
      await this.#until(isFound, false, { ms: scanMs, why: "nobody has heard of it" });
    } finally {
      stop();
    }
    return findDevice(adapter.objects, adapter.path, address) ?? (await Promise.reject(offline(address, "it is gone")));
  }

  /** Waits for news that satisfy. @throws AppError mapper/device-offline after `ms`, or when the news is "gone"; aborted */
  #until(
    isIt: (change: ObjectChange) => boolean | "gone",
    isSo: boolean,
    { ms, why }: { readonly ms: number; readonly why: string },
  ): Promise<void> {
    if (isSo) return Promise.resolve();
    const { adapter, clock, address } = this.#options;
    let stop = () => {};
    const news = new Promise<void>((resolve, reject) => {
      stop = adapter.watch((change) => {
        const is = isIt(change);
        if (is === "gone") reject(offline(address, "it is gone"));
        else if (is) resolve();
      });
    });
    const late = () => offline(address, `${why} after ${ms} ms`);
    return within(news, { clock, ms, signal: this.#closing.signal, late }).finally(() => stop());
  }

  #arrive(path: string): void {
    if (this.#closing.signal.aborted) return;
    const { adapter, address, log } = this.#options;
    if (!isTrue(adapter.objects.of(path, deviceInterface), "Connected")) {
      this.#fail(offline(address, "it has disconnected at once"));
      throw this.#failure!.error;
    }
    this.#state = { is: "there", path };
    this.#failures = 0;
    this.#failure = null;
    log.info({ device: shownAddress(address) }, "The device is connected");
    for (const watcher of [...this.#watchers]) watcher.there(path);
  }

  #fail(error: AppError): void {
    this.#state = { is: "away" };
    if (this.#closing.signal.aborted) return;
    const { clock, line } = this.#options;
    const waitMs = Math.min(line.backOffLongestMs, line.backOffFirstMs * 2 ** Math.min(30, this.#failures));
    this.#failures++;
    this.#failure = { error, until: clock.monotonic() + waitMs * 1000 };
    for (const watcher of [...this.#watchers]) watcher.away(error);
    if (this.#watchers.size > 0) this.#retryLater();
  }

  #retryLater(): void {
    const { clock } = this.#options;
    this.#cancelRetry();
    const waitMs = Math.max(0, ((this.#failure?.until ?? 0) - clock.monotonic()) / 1000);
    this.#cancelRetry = clock.after(waitMs, () => {
      if (this.#state.is === "away") this.#begin().catch(() => {});
    });
  }

  #see(change: ObjectChange): void {
    if (this.#state.is !== "there" || change.path !== this.#state.path || change.interface !== deviceInterface) return;
    const { address } = this.#options;
    if (change.changed === null) this.#fail(offline(address, "the adapter has forgotten it"));
    else if (change.changed.get("Connected") === false) this.#fail(offline(address, "it has disconnected"));
    else return;
    this.#ours = null;
  }

  async #disconnect(path: string): Promise<void> {
    this.#ours = null;
    const { adapter, address } = this.#options;
    await adapter
      .ask(path, deviceInterface, "Disconnect", { what: `disconnect ${shownAddress(address)}` })
      .catch(() => {});
  }
}

function offline(address: Address, why: string): AppError {
  return new AppError("mapper/device-offline", `Cannot reach ${shownAddress(address)}: ${why}`);
}

/** Whatever bluetoothd says of a device that it cannot connect, the device is not there. */
function asOffline(error: unknown): unknown {
  if (!(error instanceof AppError) || ["aborted", "mapper/connection-lost"].includes(error.code)) return error;
  return new AppError("mapper/device-offline", error.message, { cause: error });
}
