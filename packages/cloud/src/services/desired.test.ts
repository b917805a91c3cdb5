import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type DesiredReport, type DeviceUid, formatMicros, type Micros, type NodeIdentity } from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { plant, ref, refuses, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

function report(
  uid: DeviceUid,
  version: number,
  state: DesiredReport["state"],
  value: bigint | null = null,
): DesiredReport {
  const time = bench.clock.now();
  return { device: uid, property: "speed", version, state, reason: null, message: null, value, type: "int64", time };
}

test("desired.set() refuses unknown, read-only, wrong type and out of range, and stores nothing", async () => {
  const { device } = await plant(bench, "f");
  const { services } = bench;
  const set = (property: string, value: unknown) =>
    services.desired.set(system, { tenant, device, property }, { value });
  await assert.rejects(set("nope", 1), refuses("twin/unknown-property", /speed, temperature/));
  await assert.rejects(set("temperature", 1), refuses("twin/read-only"));
  await assert.rejects(set("speed", true), refuses("twin/wrong-type"));
  await assert.rejects(set("speed", "9007199254740994"), refuses("twin/out-of-range"));
  await assert.rejects(set("speed", "-1"), refuses("twin/out-of-range"));
  await assert.rejects(
    services.desired.get(system, { tenant, device, property: "speed" }),
    refuses("resource/not-found"),
  );
});

test("desired.set() with a wait answers the outcome, exact beyond 2^53", async () => {
  const { device, identity, uid } = await plant(bench, "g");
  const { services, nudges } = bench;
  const property = { tenant, device, property: "speed" };
  const waiting = services.desired.set(system, property, { value: "9007199254740993", wait: "10s" });
  const pending = await untilPending(identity);
  assert.equal(pending[0]?.value, 9007199254740993n);
  assert.equal(pending[0]?.ttlMs, 60_000);
  await services.control.desiredTaken(identity, [{ device: uid, property: "speed", version: 1 }]);
  assert.equal((await services.control.pendingDesired(identity)).length, 0);
  await services.control.takeReports(identity, [
    report(uid, 1, "written"),
    report(uid, 1, "confirmed", 9007199254740993n),
  ]);
  const { view, isSettled } = await waiting;
  assert.equal(isSettled, true);
  assert.equal(view.state, "confirmed");
  assert.equal(view.readBack, "9007199254740993");
  assert.ok(nudges.includes(`desired ${identity.node}`));
});

async function untilPending(identity: NodeIdentity) {
  for (;;) {
    const pending = await bench.services.control.pendingDesired(identity);
    if (pending.length > 0) return pending;
  }
}

test("desired.set() supersedes the version before it, and no late report brings that back", async () => {
  const { device, identity, uid } = await plant(bench, "h");
  const { services } = bench;
  const property = { tenant, device, property: "speed" };
  const first = services.desired.set(system, property, { value: "1", wait: "10s" });
  const firstEnds = assert.rejects(first, refuses("twin/superseded"));
  await untilPending(identity);
  await services.desired.set(system, property, { value: "2" });
  await firstEnds;
  await services.control.takeReports(identity, [report(uid, 1, "confirmed", 1n)]);
  assert.deepEqual(await state(property), [2, "pending"]);
  await services.control.takeReports(identity, [report(uid, 2, "confirmed", 2n), report(uid, 2, "written")]);
  assert.deepEqual(await state(property), [2, "confirmed"]);
});

async function state(property: { tenant: string; device: string; property: string }) {
  const view = await bench.services.desired.get(system, property);
  return [view.version, view.state];
}

test("a desired value expires by the clock, also when the process was restarted meanwhile", async () => {
  const { device } = await plant(bench, "i");
  const property = { tenant, device, property: "speed" };
  const { view, isSettled } = await bench.services.desired.set(system, property, { value: "1", ttl: "5s" });
  assert.equal(isSettled, false);
  assert.match(view.message ?? "", /Gateway "gw-i" is not connected/);
  await bench.restart();
  assert.deepEqual(await state(property), [1, "pending"]);
  const expired = new Promise<void>((resolve) => {
    bench.services.desired.onChange((change) => {
      if (change.view.device === device) resolve();
    });
  });
  bench.clock.move(5001);
  await expired;
  assert.deepEqual(await state(property), [1, "expired"]);
  const { endedAt } = await bench.services.desired.get(system, property);
  assert.equal(endedAt, formatMicros(bench.clock.now()));
});

// Looked up before its transaction, the device could be gone within it: its gateway would then be told of nothing it has.
test("desired.set() beside the deletion of its device leaves no value waiting", async () => {
  const { device, uid } = await plant(bench, "m");
  const { services, context } = bench;
  const property = { tenant, device, property: "speed" };
  await Promise.allSettled([
    services.desired.set(system, property, { value: "1" }),
    services.devices.remove(system, ref(device), "*"),
  ]);
  const rows = await context.db.selectFrom("desired").select("state").where("device_uid", "=", uid).execute();
  assert.deepEqual(
    rows.filter(({ state }) => state !== "failed"),
    [],
  );
});

test("desired.set() with the same Idempotency-Key sets once; another value under it is refused", async () => {
  const { device } = await plant(bench, "j");
  const property = { tenant, device, property: "speed" };
  await bench.services.desired.set(system, property, { value: "7", idempotencyKey: "k1" });
  const again = await bench.services.desired.set(system, property, { value: "7", idempotencyKey: "k1" });
  assert.equal(again.view.version, 1);
  await assert.rejects(
    bench.services.desired.set(system, property, { value: "8", idempotencyKey: "k1" }),
    refuses("request/key-reused"),
  );
  bench.clock.move(24 * 3600 * 1000 + 1);
  const later = await bench.services.desired.set(system, property, { value: "8", idempotencyKey: "k1" });
  assert.equal(later.view.version, 2);
});

test("a desired value shows the time of each step, of the gateway's reports by the gateway's clock", async () => {
  const { device, identity, uid } = await plant(bench, "t");
  const { services, clock } = bench;
  const property = { tenant, device, property: "speed" };
  const at = (time: number) => formatMicros(time as Micros);
  const setAt = clock.now();
  const { view: first } = await services.desired.set(system, property, { value: "1" });
  assert.deepEqual(timesOf(first), [at(setAt), null, null, null]);
  clock.move(1000);
  await services.control.desiredTaken(identity, [{ device: uid, property: "speed", version: 1 }]);
  const sentAt = clock.now();
  const [writtenAt, endedAt] = [setAt + 7_000_001, setAt + 8_000_002];
  clock.move(20_000);
  await services.control.takeReports(identity, [
    { ...report(uid, 1, "written"), time: writtenAt as Micros },
    { ...report(uid, 1, "confirmed", 1n), time: endedAt as Micros },
  ]);
  assert.deepEqual(timesOf(await services.desired.get(system, property)), [setAt, sentAt, writtenAt, endedAt].map(at));
  const { view: next } = await services.desired.set(system, property, { value: "2" });
  assert.deepEqual(timesOf(next).slice(1), [null, null, null]);
});

test("a desired value that ends with its device has the time of its end", async () => {
  const { device, uid } = await plant(bench, "u");
  const { services, clock, context } = bench;
  const rows = () =>
    context.db.selectFrom("desired").selectAll().where("device_uid", "=", uid).executeTakeFirstOrThrow();
  await services.desired.set(system, { tenant, device, property: "speed" }, { value: "1" });
  clock.move(1000);
  await services.devices.remove(system, ref(device), "*");
  assert.equal((await rows()).ended_at, clock.now());
});

function timesOf(view: {
  readonly setAt: string;
  readonly sentAt: string | null;
  readonly writtenAt: string | null;
  readonly endedAt: string | null;
}) {
  return [view.setAt, view.sentAt, view.writtenAt, view.endedAt];
}
