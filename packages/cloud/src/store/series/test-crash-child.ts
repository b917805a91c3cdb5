/** Started by crash.test.ts: commits without end and prints the highest sequence number that was acknowledged. */
import { boot, epoch, layoutOf, node, openStore, randomBatch, seeded, tenant } from "./store-fixture.ts";

const store = await openStore(process.argv[2]!);
const source = await store.openSource({ tenant, node, epoch, boot });
const random = seeded(9);
// Two that become due at different times, so that sealed batches of one lie beside live ones of the other.
const fast = layoutOf("d1", ["float64", "bool", "int32"]);
const slow = layoutOf("d2", ["float64"]);
const fastId = await store.defineLayout(tenant, fast);
const slowId = await store.defineLayout(tenant, slow);
let seq = (source.ranges.at(-1)?.[1] ?? 0) + 1;
for (let tick = 0; ; tick++) {
  const batches = [];
  for (let k = 0; k < 5; k++) {
    const layout = k === 4 ? slow : fast;
    const { firstSeq, count, body } = randomBatch({ layout, tick: tick * 4 + k, firstSeq: seq, random });
    seq += count;
    if (count > 0) batches.push({ layoutId: k === 4 ? slowId : fastId, firstSeq, count, body });
  }
  const acknowledged = seq - 1;
  await store.commit({ source: source.id, generation: source.generation, batches, ranges: [[1, acknowledged]] });
  process.stdout.write(`${acknowledged}\n`);
}
