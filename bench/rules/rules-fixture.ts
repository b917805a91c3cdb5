import { createHash } from "node:crypto";
import { deflateSync, inflateSync } from "node:zlib";
import { batchFromSamples, type DeviceUid, type Micros, type ReadingBatch } from "@penstock/model";
import { type Catalog, type HostFunctions, planQuery, type QueryOptions, QueryRunner } from "@penstock/rules";

export const demo: Catalog = (name) => ({ name, columns: null });
export const typed =
  (columns: NonNullable<NonNullable<ReturnType<Catalog>>["columns"]>): Catalog =>
  (name) => ({ name, columns });

export const benchHost: HostFunctions = {
  digest: (algorithm, bytes) => new Uint8Array(createHash(algorithm).update(bytes).digest()),
  compress: (_method, bytes) => new Uint8Array(deflateSync(bytes)),
  decompress: (_method, bytes) => new Uint8Array(inflateSync(bytes)),
  random: () => 0.5,
  uuid: () => "00000000-0000-4000-8000-000000000000",
};

/** A query that counts its results. */
export function counting(sql: string, catalog: Catalog) {
  const options: QueryOptions = {
    ...{ sql, mode: "strict", ruleId: "bench", timeZone: "UTC", startedAt: 0, offsetAt: () => 0, catalog },
    host: benchHost,
  };
  const plan = planQuery(options);
  const counted = { rows: 0, errors: 0 };
  const runner = new QueryRunner(plan, {
    rows: (rows) => {
      counted.rows += rows.length;
    },
    error: () => {
      counted.errors++;
    },
  });
  return { plan, runner, counted };
}

/** Batches of one device with one float64, each with another value and time. */
export function temperatures(count: number): ReadingBatch[] {
  const layout = {
    id: 1,
    device: "d".repeat(32) as DeviceUid,
    properties: [{ name: "temperature", type: "float64" }],
  } as const;
  return Array.from({ length: count }, (_, at) => {
    const value = (at * 7919) % 100;
    const samples = [
      { property: "temperature", time: (at * 1000) as Micros, value, quality: "good", reason: null },
    ] as const;
    return batchFromSamples({ layout, samples }).batch;
  });
}

/** Turns a second of work that is repeated until it has taken long enough; the best of three. */
export function bestRate(
  work: () => number,
  { ms, clock }: { readonly ms: number; readonly clock: () => number },
): number {
  let best = 0;
  for (let round = 0; round < 3; round++) {
    const start = clock();
    let done = 0;
    while (clock() - start < ms) done += work();
    best = Math.max(best, (done / (clock() - start)) * 1000);
  }
  return best;
}
