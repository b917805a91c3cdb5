import assert from "node:assert/strict";
import { test } from "node:test";
import type { Micros } from "@penstock/model";
import { Instant, type Value } from "@penstock/rules";
import fc from "fast-check";
import { addRows, type BatchedRow, type Bundle, batchDue, emptyBatch, flushBatch } from "./batching.ts";
import {
  type DeliverySettings,
  type DeliveryState,
  decide,
  idleDelivery,
  isAtRest,
  noteAnswer,
  noteFailure,
  noteStored,
} from "./delivery-machine.ts";
import { decodeParcel, encodeParcel } from "./parcel-record.ts";

const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    ...[fc.constant(null), fc.boolean(), fc.double(), fc.bigInt(), fc.string({ unit: "binary" })],
    fc.uint8Array({ maxLength: 8 }),
    fc.integer({ min: 0 }).map((micros) => new Instant(micros)),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "i", "o", "__proto__", "t", ""), tie("value"), { maxKeys: 3 }),
  ),
})).value;

test("a parcel comes back from the cache as it went in, whatever its values", () => {
  const row = fc.dictionary(fc.string(), value, { minKeys: 1, maxKeys: 4, noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 3 }), fc.string(), fc.boolean(), (rows, address, isList) => {
      const time = 1_800_000_000_000_001 as Micros;
      const parcel = { address, isList, tries: 3, rows: rows.map((one) => ({ row: plain(one), time })) };
      assert.deepEqual(decodeParcel(encodeParcel(parcel as never)), parcel);
    }),
  );
});

/** As literals are made, so that equal is equal. */
function plain(given: Value): Value {
  if (Array.isArray(given)) return given.map(plain);
  if (typeof given !== "object" || given === null || given instanceof Uint8Array || given instanceof Instant)
    return given;
  return Object.fromEntries(Object.entries(given as Record<string, Value>).map(([name, one]) => [name, plain(one)]));
}

test("batching loses no row, mixes no addresses, keeps the order of each and none waits beyond its linger", () => {
  const results = fc.array(fc.array(fc.constantFrom("x", "y"), { minLength: 1, maxLength: 5 }), { maxLength: 20 });
  const settings = fc.record({
    send: fc.constantFrom("each" as const, "list" as const),
    rows: fc.option(fc.integer({ min: 1, max: 6 })),
    lingerMs: fc.integer({ min: 0, max: 30 }),
    takesMany: fc.boolean(),
  });
  fc.assert(
    fc.property(settings, results, (how, all) => {
      let state = emptyBatch;
      const bundles: Bundle[] = [];
      const given: BatchedRow[] = [];
      for (const [at, addresses] of all.entries()) {
        const due = batchDue(how, state);
        if (due !== null && due <= at * 10) {
          bundles.push(...flushBatch(state));
          state = emptyBatch;
        }
        const rows = addresses.map((address) => ({ address, take: at, time: 0 as Micros, row: { n: given.length } }));
        given.push(...rows);
        const added = addRows(how, state, rows, at * 10);
        ({ state } = added);
        bundles.push(...added.bundles);
        assert.ok(how.rows === null ? state.rows.length === 0 : state.rows.length < how.rows);
        assert.equal(batchDue(how, state) === null, state.rows.length === 0);
      }
      bundles.push(...flushBatch(state));
      for (const name of ["x", "y"]) {
        const of = bundles.filter(({ address }) => address === name).flatMap(({ rows }) => rows);
        assert.deepEqual(
          of,
          given.filter(({ address }) => address === name),
        );
      }
      for (const { rows, isList } of bundles) {
        assert.ok(rows.length > 0 && rows.length <= (how.rows ?? 5));
        assert.ok(isList || rows.length === 1);
      }
    }),
  );
});

const settingsOf: fc.Arbitrary<DeliverySettings> = fc.record({
  order: fc.constantFrom("oldest-first" as const, "newest-first" as const),
  hasCache: fc.boolean(),
  attempts: fc.option(fc.integer({ min: 0, max: 3 })),
  firstMs: fc.integer({ min: 1, max: 50 }),
  longestMs: fc.integer({ min: 1, max: 200 }),
  queueParcels: fc.constant(6),
  queueBytes: fc.constant(600),
});

test("whatever happens, one parcel is in flight at most, memory stays within its bound, and in the end all is settled", () => {
  type Event = "come" | "delivered" | "failed" | "stored" | "disk-full" | "later";
  const events = fc.array(
    fc.constantFrom<Event>("come", "come", "delivered", "failed", "stored", "disk-full", "later"),
    {
      maxLength: 60,
      size: "max",
    },
  );
  fc.assert(
    fc.property(settingsOf, events, (settings, happened) => {
      let state: DeliveryState = idleDelivery;
      let [at, waiting, storing, cached, tries, came, settled] = [0, 0, 0, 0, 0, 0, 0];
      let wakeAt: number | null = null;
      const world = () => ({ at, waiting, waitingBytes: waiting * 100, cached });
      const turn = () => {
        const decided = decide(settings, state, world());
        wakeAt = null;
        for (const act of decided.acts) {
          if (act.t === "send") {
            assert.equal(state.sending, null, "one at a time");
            assert.ok(at >= state.pauseUntil);
            if (act.from === "memory") waiting--;
            if (act.from === "cache") assert.ok(cached > 0);
            const isOlderOnDisk = settings.order === "oldest-first" && (cached > 0 || storing > 0);
            if (act.from === "memory") assert.ok(!isOlderOnDisk, "what is older goes first");
          } else if (act.t === "store") {
            assert.ok(settings.hasCache && storing === 0);
            [storing, waiting] = [waiting, 0];
          } else if (act.t === "drop") {
            settled += waiting - settings.queueParcels;
            waiting = settings.queueParcels;
          } else wakeAt = act.at;
        }
        ({ state } = decided);
        assert.ok(waiting <= settings.queueParcels, "the bound");
        if (state.sending === null && storing === 0 && waiting + cached > 0)
          assert.ok(wakeAt !== null && wakeAt > at, "whatever waits is not forgotten");
      };
      const step = (event: Event) => {
        if (event === "come") {
          waiting++;
          came++;
        } else if (event === "later") at = Math.max(at + 1, wakeAt ?? at);
        else if ((event === "stored" || event === "disk-full") && storing > 0) {
          const isOk = event === "stored";
          if (isOk) cached += storing;
          else waiting += storing;
          storing = 0;
          state = noteStored(state, { isOk, at });
        } else if (event === "delivered" && state.sending !== null) {
          if (state.sending === "cache") cached--;
          settled++;
          tries = 0;
          state = noteAnswer(state);
        } else if (event === "failed" && state.sending !== null) {
          const from = state.sending;
          const noted = noteFailure(settings, state, { tries: ++tries, at, chance: 0.5 });
          assert.ok(noted.state.pauseUntil <= at + settings.longestMs);
          assert.equal(noted.isOver, settings.attempts !== null && tries > settings.attempts);
          ({ state } = noted);
          if (noted.isOver) {
            settled++;
            tries = 0;
            if (from === "cache") cached--;
          } else if (from === "memory") waiting++;
        }
        turn();
      };
      for (const event of happened) step(event);
      for (let more = 0; more < 500 && settled < came; more++)
        for (const event of ["later", "stored", "delivered"] as const) step(event);
      assert.equal(settled, came);
      assert.ok(isAtRest(settings, state, world()));
    }),
  );
});
