import type { ManualClock } from "@penstock/mapper-sdk";
import type { BytePort } from "../src/byte-port.ts";

/** A wire in memory: what the line says is kept with its time, and a test says what comes back. */
export class FakePort implements BytePort {
  readonly sent: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  isClosed = false;
  /** what a device does with each frame */
  hears: (frame: Uint8Array) => void = () => {};
  readonly #clock: ManualClock;
  #line: Parameters<BytePort["listen"]>[0] | null = null;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  listen(line: Parameters<BytePort["listen"]>[0]): void {
    this.#line = line;
  }

  write(bytes: Uint8Array): void {
    this.sent.push({ at: this.#clock.monotonic(), bytes });
    this.hears(bytes);
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  /** bytes from the devices, after so many milliseconds */
  say(bytes: Uint8Array, afterMs = 0): void {
    if (afterMs === 0) this.#line?.data(bytes);
    else this.#clock.after(afterMs, () => this.#line?.data(bytes));
  }

  vanish(): void {
    this.#line?.ended("the adapter was pulled out");
  }
}
