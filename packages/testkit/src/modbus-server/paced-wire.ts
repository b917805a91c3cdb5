/** Time, as a server under test may know it. */
export interface ServerClock {
  /** microseconds of a clock that nobody sets */
  monotonic(): number;
  after(delayMs: number, run: () => void): () => void;
}

/** How fast a line carries bytes. A pseudo-terminal carries them at once, whatever baud rate it was told. */
export interface Pace {
  readonly baud: number;
  /** start, data, parity and stop bits; 11 unless stated, as RTU demands (Modbus over Serial Line V1.02, 2.5.1) */
  readonly bitsPerCharacter?: number;
  /** how long a unit thinks between the end of a request and the start of its answer; 0 unless stated */
  readonly turnaroundMs?: number;
}

/**
 * The time that bytes take on a serial line, both ways. One wire, so one of the two at a time: what is asked while an
 * answer is on the wire comes after it.
 */
export class PacedWire {
  readonly #characterMicros: number;
  readonly #turnaroundMicros: number;
  readonly #clock: ServerClock;
  /** when the last byte so far will have passed; monotonic microseconds */
  #freeAt = 0;
  /** microseconds in which a byte was on the wire */
  busyMicros = 0;

  constructor(pace: Pace, clock: ServerClock) {
    this.#characterMicros = ((pace.bitsPerCharacter ?? 11) * 1e6) / pace.baud;
    this.#turnaroundMicros = (pace.turnaroundMs ?? 0) * 1000;
    this.#clock = clock;
  }

  /** @returns ms until the unit may answer a request of so many bytes that has just been written */
  received(bytes: number): number {
    const now = this.#clock.monotonic();
    this.#freeAt = Math.max(now, this.#freeAt) + this.#take(bytes) + this.#turnaroundMicros;
    return (this.#freeAt - now) / 1000;
  }

  /** Writes bytes as they would arrive, then calls `sent`. @returns a function that stops it */
  send(bytes: Uint8Array, write: (part: Uint8Array) => void, sent: () => void): () => void {
    const begun = Math.max(this.#clock.monotonic(), this.#freeAt);
    this.#freeAt = begun + this.#take(bytes.length);
    let written = 0;
    let cancel = () => {};
    const step = () => {
      const arrived = Math.floor((this.#clock.monotonic() - begun) / this.#characterMicros);
      const due = Math.min(bytes.length, Math.max(written, arrived));
      if (due > written) write(bytes.subarray(written, due));
      written = due;
      if (written === bytes.length) return sent();
      const nextAt = begun + (written + 1) * this.#characterMicros;
      cancel = this.#clock.after(Math.max(1, Math.ceil((nextAt - this.#clock.monotonic()) / 1000)), step);
    };
    step();
    return () => cancel();
  }

  #take(bytes: number): number {
    const micros = bytes * this.#characterMicros;
    this.busyMicros += micros;
    return micros;
  }
}
