import type { DriverClock, DriverLog } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import type { Written } from "../dbus/body-writer.ts";
import type { Adapter } from "./adapter.ts";
import { adapterInterface } from "./names.ts";

const againMs = 5000;
export interface ScannerOptions {
  readonly adapter: Adapter;
  readonly clock: DriverClock;
  readonly log: DriverLog;
  readonly leastRssi: number | undefined;
}

/** Looks around for as long as somebody wants it to: one search of ours, however many want. */
export class Scanner {
  readonly #adapter: Adapter;
  readonly #clock: DriverClock;
  readonly #log: DriverLog;
  #cancel = () => {};
  readonly #filter: { readonly [key: string]: Written };
  #wanting = 0;
  #isOn = false;
  /** starting and stopping, one after the other */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: ScannerOptions) {
    this.#adapter = options.adapter;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#filter = {
      Transport: { signature: "s", value: "le" },
      // Every advertisement counts: a sensor that nobody connects to says its value in them.
      DuplicateData: { signature: "b", value: true },
      ...(options.leastRssi !== undefined && { RSSI: { signature: "n", value: options.leastRssi } }),
    };
  }

  /** @returns to be called when it is no longer wanted; calling it again does nothing */
  want(): () => void {
    this.#wanting++;
    this.#settle();
    let isWanted = true;
    return () => {
      if (!isWanted) return;
      isWanted = false;
      this.#wanting--;
      this.#settle();
    };
  }

  close(): void {
    this.#wanting = 0;
    this.#cancel();
  }

  #settle(): void {
    this.#cancel();
    this.#turn = this.#turn.then(() => this.#toWanted());
  }

  async #toWanted(): Promise<void> {
    const shall = this.#wanting > 0;
    if (shall === this.#isOn) return;
    const ask = (member: string, more: object = {}) =>
      this.#adapter.ask(this.#adapter.path, adapterInterface, member, { what: "look for devices", ...more });
    try {
      if (shall) {
        await ask("SetDiscoveryFilter", { signature: "a{sv}", body: [this.#filter] });
        await ask("StartDiscovery");
      } else await ask("StopDiscovery");
      this.#isOn = shall;
    } catch (error) {
      // InProgress: it runs already, which is all that is wanted.
      if (error instanceof AppError && error.code === "mapper/device-busy") this.#isOn = shall;
      else if (!shall) this.#isOn = false;
      else {
        this.#log.warn({ error: String(error) }, "The adapter does not look for devices");
        this.#cancel = this.#clock.after(againMs, () => this.#settle());
      }
    }
  }
}
