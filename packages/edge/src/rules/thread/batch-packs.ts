import type { Layout, ReadingBatch } from "@penstock/model";
import { decodeBatchBody, encodeBatchBody } from "@penstock/wire";

/** Batches as they go to another thread: each layout once, then its number. */
export interface PackedBatches {
  /** numbers given before count no more */
  readonly isAnew: boolean;
  readonly layouts: readonly { readonly number: number; readonly layout: Layout }[];
  /** of each batch: the number of its layout, and where its bytes end */
  readonly batches: readonly { readonly layout: number; readonly end: number }[];
  /** `encodeBatchBody` of one after the other; its buffer holds nothing else and may be moved */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Devices that are edited over and over have new layouts each time. */
const layoutsMost = 10_000;

/** A layout that was the same object here is the same object there: readers know it again at no cost. */
export class BatchPacker {
  #numbers = new WeakMap<Layout, number>();
  #last = 0;

  pack(batches: readonly ReadingBatch[]): PackedBatches {
    const isAnew = this.#last === 0 || this.#last > layoutsMost;
    if (isAnew) [this.#numbers, this.#last] = [new WeakMap(), 0];
    const layouts: { number: number; layout: Layout }[] = [];
    const bodies: Uint8Array[] = [];
    let end = 0;
    const packed = batches.map((batch) => {
      const { layout } = batch;
      let number = this.#numbers.get(layout);
      if (number === undefined) {
        number = ++this.#last;
        this.#numbers.set(layout, number);
        layouts.push({ number, layout });
      }
      const body = encodeBatchBody(batch);
      bodies.push(body);
      end += body.length;
      return { layout: number, end };
    });
    const bytes = new Uint8Array(end);
    for (const [at, body] of bodies.entries()) bytes.set(body, packed[at]!.end - body.length);
    return { isAnew, layouts, batches: packed, bytes };
  }
}

export class BatchUnpacker {
  readonly #layouts = new Map<number, Layout>();

  unpack({ isAnew, layouts, batches, bytes }: PackedBatches): ReadingBatch[] {
    if (isAnew) this.#layouts.clear();
    for (const { number, layout } of layouts) this.#layouts.set(number, layout);
    let begin = 0;
    return batches.map(({ layout, end }) => {
      const body = bytes.subarray(begin, end);
      begin = end;
      return decodeBatchBody(this.#layouts.get(layout)!, body);
    });
  }
}
