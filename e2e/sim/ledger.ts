import {
  type Epoch,
  forEachReading,
  type Reading,
  type ReadingBatch,
  type UncertainClock,
  valueToText,
} from "@penstock/model";
import type { SimStoredReading } from "@penstock/testkit";

/** What the world outside knows of one reading. The plant never gives two the same number. */
export interface KnownReading {
  readonly text: string;
  readonly site: string;
  readonly series: string;
  /** 1.. over the whole run, as the plants answered */
  readonly order: number;
  readonly time: number;
  readonly clock: UncertainClock | null;
  readonly rowTimeOffset: number;
  fate: "open" | "accepted" | "refused" | "lost-in-crash" | "gone-with-disk";
  /** value of `Ledger.accepted` when it was accepted */
  acceptedAs: number;
  readonly places: { readonly epoch: Epoch; readonly seq: number }[];
  /** filled in by the verdict */
  stored: SimStoredReading | null;
}

/** device, property and value: enough to know a reading of this plant among all others */
export function textOf({ device, property, type, value }: Reading): string {
  return `${device}/${property}=${valueToText(type, value)}`;
}

/** Every reading the plant answered, and what became of it at the gateway: the witness of a run. */
export class Ledger {
  readonly readings = new Map<string, KnownReading>();
  /** epoch and seq → the reading that was accepted under it */
  readonly #taken = new Map<Epoch, Map<number, KnownReading>>();
  readonly collisions: string[] = [];
  readonly #batches = new Map<ReadingBatch, readonly KnownReading[]>();
  accepted = 0;
  refused = 0;
  inFlightAtCrash = 0;

  produced(site: string, batch: ReadingBatch): void {
    const known: KnownReading[] = [];
    const { clock, baseTime } = batch;
    forEachReading(batch, (reading) => {
      const { device, property, time } = reading;
      const text = textOf(reading);
      const one: KnownReading = {
        ...{ text, site, series: `${device}/${property}`, order: this.readings.size + 1 },
        ...{ time, clock, rowTimeOffset: time - baseTime },
        ...{ fate: "open", acceptedAs: 0, places: [], stored: null },
      };
      this.readings.set(text, one);
      known.push(one);
    });
    this.#batches.set(batch, known);
  }

  accept(batch: ReadingBatch, place: { readonly epoch: Epoch; readonly firstSeq: number }): readonly KnownReading[] {
    const { epoch } = place;
    const known = this.#of(batch);
    let taken = this.#taken.get(epoch);
    if (taken === undefined) {
      taken = new Map();
      this.#taken.set(epoch, taken);
    }
    let seq = place.firstSeq;
    for (const one of known) {
      const before = taken.get(seq);
      if (before !== undefined && before !== one)
        this.collisions.push(`${epoch}:${seq} is ${before.text} and ${one.text}`);
      taken.set(seq, one);
      one.places.push({ epoch, seq });
      if (one.fate !== "accepted") one.acceptedAs = ++this.accepted;
      one.fate = "accepted";
      seq++;
    }
    return known;
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

  /** A copy of the disk as it was at `accepted` was put back: what the site accepted later is with the cloud, or nowhere. */
  diskPutBack(site: string, accepted: number): void {
    for (const one of this.readings.values()) {
      if (one.site !== site || one.fate !== "accepted" || one.acceptedAs <= accepted) continue;
      one.fate = "gone-with-disk";
      // Its number is free again, until the cloud says otherwise.
      for (const { epoch, seq } of one.places) this.#taken.get(epoch)?.delete(seq);
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
