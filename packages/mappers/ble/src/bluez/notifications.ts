import type { DriverClock } from "@penstock/mapper-sdk";
import { AppError, type LineSettings } from "@penstock/model";
import type { Adapter } from "./adapter.ts";
import type { DeviceLink } from "./device-link.ts";
import { flagsOf, type Gatt } from "./gatt.ts";
import { characteristicInterface } from "./names.ts";
import type { ObjectChange } from "./objects.ts";

/** Somebody who wants each value of a characteristic. */
export interface Listener {
  /** @throws AppError mapper/bad-address */
  locate(device: string): string;
  /** words of a characteristic's flags, of which one is needed */
  readonly flags: readonly string[];
  tell(news: Uint8Array | AppError): void;
}
export interface NotificationsOptions {
  readonly adapter: Adapter;
  readonly link: DeviceLink;
  readonly gatt: Gatt;
  readonly clock: DriverClock;
  readonly line: LineSettings;
}

/** What one device tells by itself. Listeners of one characteristic share one StartNotify; the last takes it back. */
export class Notifications {
  readonly #options: NotificationsOptions;
  /** all listeners, with what stops their next try */
  readonly #listeners = new Map<Listener, () => void>();
  /** by path of the characteristic, while the device is there */
  readonly #channels = new Map<string, Set<Listener>>();
  readonly #started = new Set<string>();
  #unwatchLink: (() => void) | null = null;
  readonly #unwatch: () => void;

  constructor(options: NotificationsOptions) {
    this.#options = options;
    this.#unwatch = options.adapter.watch((change) => this.#see(change));
  }

  /** Resolves when the device has agreed or refused, which the listener is told; at once while it is not there. */
  async add(listener: Listener): Promise<void> {
    this.#listeners.set(listener, () => {});
    const { link } = this.#options;
    this.#unwatchLink ??= link.watch({
      there: (device) => {
        for (const one of [...this.#listeners.keys()]) void this.#arm(one, device, 0);
      },
      away: (error) => this.#away(error),
    });
    if (link.path !== null) await this.#arm(listener, link.path, 0);
  }

  remove(listener: Listener): void {
    this.#listeners.get(listener)?.();
    this.#listeners.delete(listener);
    for (const [path, channel] of this.#channels) {
      if (!channel.delete(listener) || channel.size > 0) continue;
      this.#channels.delete(path);
      const isOver = () => !this.#channels.has(path) && this.#started.delete(path);
      this.#options.gatt.notify(path, "StopNotify", isOver).catch(() => {});
    }
    if (this.#listeners.size > 0) return;
    this.#unwatchLink?.();
    this.#unwatchLink = null;
  }

  close(): void {
    for (const cancel of this.#listeners.values()) cancel();
    this.#listeners.clear();
    this.#unwatchLink?.();
    this.#unwatch();
  }

  async #arm(listener: Listener, device: string, failures: number): Promise<void> {
    const { adapter, gatt, link } = this.#options;
    const isWanted = () => this.#listeners.has(listener) && link.path === device;
    if (!isWanted()) return;
    try {
      const path = listener.locate(device);
      const flags = flagsOf(adapter.objects, path);
      if (!listener.flags.some((flag) => flags.includes(flag))) {
        const text = `Cannot subscribe: the characteristic has neither of ${listener.flags.join(", ")}`;
        throw new AppError("mapper/function-unsupported", text);
      }
      const channel = this.#channels.get(path) ?? new Set();
      this.#channels.set(path, channel.add(listener));
      await gatt
        .notify(path, "StartNotify", () => {
          if (!isWanted() || this.#started.has(path)) return false;
          this.#started.add(path);
          return true;
        })
        .catch((error: unknown) => {
          this.#started.delete(path);
          throw error;
        });
      if (isWanted() && flags.includes("read")) listener.tell(await gatt.read(path, {}));
    } catch (cause) {
      if (!isWanted()) return;
      listener.tell(cause instanceof AppError ? cause : new AppError("internal", "Cannot subscribe", { cause }));
      const { clock, line } = this.#options;
      const waitMs = Math.min(line.backOffLongestMs, line.backOffFirstMs * 2 ** Math.min(30, failures));
      this.#listeners.set(
        listener,
        clock.after(waitMs, () => void this.#arm(listener, device, failures + 1)),
      );
    }
  }

  #away(error: AppError): void {
    this.#channels.clear();
    this.#started.clear();
    for (const [listener, cancel] of this.#listeners) {
      cancel();
      listener.tell(error);
    }
  }

  #see({ path, interface: name, changed }: ObjectChange): void {
    const channel = this.#channels.get(path);
    if (channel === undefined || name !== characteristicInterface) return;
    const device = this.#options.link.path;
    const value = changed?.get("Value");
    if (value !== undefined) {
      const isBytes = value instanceof Uint8Array;
      const news = isBytes ? value : new AppError("mapper/bad-answer", "Cannot take a notification: it is no bytes");
      for (const listener of [...channel]) listener.tell(news);
    }
    // Ended by somebody else, or the service was taken away: begun again where it can be.
    if ((changed === null || changed.get("Notifying") === false) && this.#started.delete(path) && device !== null)
      for (const listener of [...channel]) void this.#arm(listener, device, 0);
  }
}
