import type { PointResult } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import { DeviceLink, type DeviceLinkOptions } from "./bluez/device-link.ts";
import { findCharacteristic, Gatt } from "./bluez/gatt.ts";
import { Notifications } from "./bluez/notifications.ts";
import type { Scanner } from "./bluez/scanner.ts";
import type { Converter } from "./convert/converter.ts";
import type { Visitor } from "./fields.ts";

/** One device: the way to it, what is asked of it, what it tells. */
export class Device {
  readonly link: DeviceLink;
  readonly gatt: Gatt;
  readonly #notifications: Notifications;
  readonly #options: DeviceLinkOptions;
  #stopHearing: (() => void) | null = null;

  constructor(options: DeviceLinkOptions) {
    this.#options = options;
    const { adapter, clock, line } = options;
    this.link = new DeviceLink(options);
    this.gatt = new Gatt(adapter);
    this.#notifications = new Notifications({ adapter, link: this.link, gatt: this.gatt, clock, line });
  }

  /** Its advertisements are polled: from now on the adapter listens. */
  hear(scanner: Scanner | null): void {
    this.#stopHearing ??= scanner?.want() ?? null;
  }

  /** Tells each value of a characteristic, and once why there is none. `begun` resolves when the device has agreed or not. */
  listen(
    visitor: Visitor,
    { read }: Converter,
    tell: (result: PointResult) => void,
  ): { readonly begun: Promise<void>; stop(): void } {
    const { adapter, clock } = this.#options;
    let told: string | null = null;
    const listener = {
      locate: (device: string) => findCharacteristic(adapter.objects, device, visitor),
      flags: visitor.mode === "read" ? ["notify", "indicate"] : [visitor.mode],
      tell: (news: Uint8Array | AppError): void => {
        const monotonic = clock.monotonic();
        if (!(news instanceof AppError)) {
          told = null;
          tell({ ...read(news), monotonic });
          return;
        }
        // Each try that fails says the same: once is enough.
        if (told !== news.code) tell({ value: null, reason: news.code, monotonic });
        told = news.code;
      },
    };
    return { begun: this.#notifications.add(listener), stop: () => this.#notifications.remove(listener) };
  }

  async close(): Promise<void> {
    this.#stopHearing?.();
    this.#notifications.close();
    await this.link.close();
  }
}
