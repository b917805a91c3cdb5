import {
  type Epoch,
  forEachReading,
  type Reading,
  type ReadingBatch,
  type UncertainClock,
  valueToText,
} from "@penstock/model";

/** What the world outside knows of one reading. The plant never gives two the same number. */
export interface KnownReading {
  readonly text: string;
  readonly site: string;
  readonly series: string;
  readonly time: number;
  readonly clock: UncertainClock | null;
  readonly rowTimeOffset: number;
  fate: "open" | "accepted" | "refused" | "lost-in-crash";
  readonly places: { readonly epoch: Epoch; readonly seq: number }[];
}

/** device, property and value: enough to know a reading of this plant among all others */
export function textOf({ device, property, type, value }: Reading): string {
  return `${device}/${property}=${valueToText(type, value)}`;
}

/** Every reading the plant answered, and what became of it at the gateway: the witness of a run. */
export class Ledger {
  readonly readings = new Map<string, KnownReading>();
  /** epoch and seq → the reading that was accepted under it */
  readonly taken = new Map<string, string>();
  readonly collisions: string[] = [];
  readonly #batches = new Map<ReadingBatch, readonly KnownReading[]>();
  accepted = 0;
  refused = 0;
  inFlightAtCrash = 0;

  produced(site: string, batch: ReadingBatch): void {
    const known: KnownReading[] = [];
    forEachReading(batch, (reading) => {
      const series = `${reading.device}/${reading.property}`;
      const text = textOf(reading);
      const { clock } = batch;
      const one: KnownReading = {
        ...{ text, site, series, time: reading.time, clock, rowTimeOffset: reading.time - batch.baseTime },
        fate: "open",
        places: [],
      };
      this.readings.set(text, one);
      known.push(one);
    });
    this.#batches.set(batch, known);
  }

  accept(batch: ReadingBatch, place: { readonly epoch: Epoch; readonly firstSeq: number }): void {
    for (const [row, one] of this.#of(batch).entries()) {
      const seq = place.firstSeq + row;
      const id = `${place.epoch}:${seq}`;
      const before = this.taken.get(id);
      if (before !== undefined && before !== one.text) this.collisions.push(`${id} is ${before} and ${one.text}`);
      this.taken.set(id, one.text);
      one.places.push({ epoch: place.epoch, seq });
      if (one.fate !== "accepted") this.accepted++;
      one.fate = "accepted";
    }
  }

  refuse(batch: ReadingBatch): void {
    this.#settle(batch, "refused");
    this.refused += batch.count;
  }

  /** The process that had it in its hands ended before it could say. */
  crashed(batches: Iterable<ReadingBatch>): void {
    for (const batch of batches) {
      this.#settle(batch, "lost-in-crash");
      this.inFlightAtCrash += batch.count;
    }
  }

  #settle(batch: ReadingBatch, fate: KnownReading["fate"]): void {
    for (const one of this.#of(batch)) if (one.fate === "open") one.fate = fate;
  }

  #of(batch: ReadingBatch): readonly KnownReading[] {
    const known = this.#batches.get(batch);
    if (known === undefined) throw new Error("A batch that the plant never gave");
    return known;
  }
}
