import type { DeviceUid, Reading } from "@penstock/model";
import { type KnownReading, type Ledger, textOf } from "./ledger.ts";

/** What a twin that starts must bring back: no reported value older than the last accepted one (DESIGN 4, twin). */
export class ReportedWitness {
  readonly #ledger: Ledger;
  /** by series */
  #last = new Map<string, KnownReading>();
  /** up to this seq the disk refused the checkpoint, and the outbox was let go all the same */
  #excusedTo = 0;
  /** up to this seq the disk has a checkpoint */
  #savedTo = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  accepted(readings: readonly KnownReading[]): void {
    for (const one of readings) this.#last.set(one.series, one);
  }

  excuse(seq: number): void {
    this.#excusedTo = Math.max(this.#excusedTo, seq);
  }

  saved(seq: number): void {
    this.#savedTo = Math.max(this.#savedTo, seq);
  }

  /** As it stands now. @returns a function that makes it so again, for a disk that is put back */
  copy(): () => void {
    const [last, excusedTo, savedTo] = [new Map(this.#last), this.#excusedTo, this.#savedTo];
    return () => {
      this.#last = new Map(last);
      this.#savedTo = savedTo;
      this.#excusedTo = excusedTo;
    };
  }

  /**
   * @param options.reported of the twin that has just been opened
   * @param options.mayDrop the outbox is so small that it drops what no checkpoint has yet: nobody can bring that back
   * @returns a sentence for each value that is too old
   */
  tooOld(options: {
    readonly reported: (device: DeviceUid) => ReadonlyMap<string, Reading>;
    readonly mayDrop: boolean;
  }): string[] {
    const found: string[] = [];
    const devices = new Map<string, ReadonlyMap<string, Reading>>();
    for (const [series, last] of this.#last) {
      const { seq } = last.places.at(-1)!;
      if (seq <= this.#excusedTo) continue;
      const [device, property] = series.split("/") as [DeviceUid, string];
      let values = devices.get(device);
      if (values === undefined) {
        values = options.reported(device);
        devices.set(device, values);
      }
      const text = isAllowed(values.get(property), last, this.#ledger);
      if (text === null) continue;
      if (options.mayDrop && seq > this.#savedTo) {
        // Gone, so no later checkpoint can have it.
        this.#last.delete(series);
        continue;
      }
      found.push(`${last.text} was accepted as ${seq}, after the restart the twin has ${text}`);
    }
    return found;
  }
}

/** By the rule of the twin: forward by source time, and whatever follows a doubtful time is newer. */
function isAllowed(value: Reading | undefined, last: KnownReading, ledger: Ledger): string | null {
  if (value === undefined) return "nothing";
  const known = ledger.readings.get(textOf(value));
  if (known === undefined) return `${textOf(value)}, which was never read`;
  const isNewer = known.order >= last.order || (known.clock === null && known.time > last.time);
  return isNewer ? null : known.text;
}
