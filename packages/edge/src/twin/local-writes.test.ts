import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type DesiredValue, type LocalWritePolicy } from "@penstock/model";
import { SimRandom, simDisk } from "@penstock/testkit";
import { machine, openSite, uid } from "./test-plant.ts";

const disk = () => simDisk({ random: new SimRandom(1) });
const local = (value: number, more: { holder?: string; holdMs?: number | null; property?: string } = {}) => ({
  ...{ device: uid, property: "speed", type: "float64" as const, value, ttlMs: 60_000, holder: "panel", holdMs: null },
  ...more,
});
const desired = (version: number, value: number, property = "speed"): DesiredValue => ({
  ...{ device: uid, property, type: "float64", value, version, ttlMs: 60_000 },
});

async function site(localWrites: LocalWritePolicy, files = disk().files) {
  let device = machine({ localWrites });
  const opened = await openSite(files, { find: () => device });
  const change = (policy: LocalWritePolicy) => {
    device = machine({ localWrites: policy, generation: device.generation + 1 });
    opened.twin.devicesChanged();
  };
  const view = (property = "speed") => opened.twin.desired(uid).find((one) => one.property === property);
  return { ...opened, change, view };
}

test("a property whose localWrites is refuse takes no value at the gateway, and nothing is written", async () => {
  const s = await site("refuse");
  const { ended } = await s.twin.setLocally(local(5));
  assert.deepEqual(((end) => [end.state, end.reason])(await ended), ["failed", "twin/read-only"]);
  await s.turns();
  assert.deepEqual(s.plant.writes, []);
  await s.close();
});

test("yield: a local value is written, and the next of the cloud replaces it", async () => {
  const s = await site("yield");
  const { ended } = await s.twin.setLocally(local(5));
  await s.turns();
  assert.equal((await ended).state, "confirmed");
  assert.deepEqual(s.twin.pendingReports(), [], "the cloud gives versions, so it hears nothing of this one");
  await s.twin.takeDesired([desired(1, 7)]);
  await s.turns();
  assert.deepEqual(s.plant.writes, ["speed=5", "speed=7"]);
  assert.equal(s.view()?.cloud?.state, "confirmed");
  await s.close();
});

test("yield: a value of the cloud that is on its way goes before a local one, and supersedes one that is", async () => {
  const s = await site("yield");
  await s.twin.takeDesired([desired(1, 7)]);
  const late = await (await s.twin.setLocally(local(5))).ended;
  assert.deepEqual([late.state, late.reason], ["superseded", "twin/superseded"]);
  await s.turns();
  const { ended } = await s.twin.setLocally(local(6));
  await s.twin.takeDesired([desired(2, 8)]);
  assert.equal((await ended).state, "superseded");
  await s.turns();
  assert.equal(s.plant.held.get("speed"), 8);
  await s.close();
});

test("hold: values of the cloud wait and say who holds, and go on when it is released", async () => {
  const s = await site("hold");
  await s.twin.setLocally(local(5));
  await s.turns();
  await s.twin.takeDesired([desired(1, 7)]);
  await s.turns(2000);
  assert.deepEqual(s.plant.writes, ["speed=5"]);
  assert.deepEqual(s.twin.pendingReports(), []);
  const { cloud, hold } = s.view()!;
  assert.deepEqual([cloud?.state, cloud?.reason, hold?.holder, hold?.value], ["pending", "twin/held", "panel", 5]);
  assert.match(cloud?.message ?? "", /panel holds/);
  assert.equal(s.twin.holds().length, 1);
  assert.equal(await s.twin.release(uid, "speed"), true);
  await s.turns();
  assert.deepEqual(s.plant.writes, ["speed=5", "speed=7"]);
  assert.equal(s.view()?.cloud?.state, "confirmed");
  assert.deepEqual(s.twin.holds(), []);
  assert.equal(await s.twin.release(uid, "speed"), false);
  await s.close();
});

test("hold: a value that waits too long expires, and its reason names the holder", async () => {
  const s = await site("hold");
  await s.twin.setLocally(local(5, { holder: "shift 2" }));
  await s.twin.takeDesired([{ ...desired(1, 7), ttlMs: 1000 }]);
  await s.turns(1500);
  const [report] = s.twin.pendingReports();
  assert.equal(report?.state, "expired");
  assert.match(report?.message ?? "", /not written: shift 2 holds it/);
  await s.close();
});

test("hold: ends by itself when its time is over, and when the property does not allow it any more", async () => {
  const s = await site("hold");
  let told = 0;
  s.twin.onHolds(() => told++);
  await s.twin.setLocally(local(5, { holdMs: 3000 }));
  await s.turns(2900);
  assert.equal(s.twin.holds().length, 1);
  await s.turns(200);
  assert.equal(s.twin.holds().length, 0);
  await s.twin.setLocally(local(6));
  await s.twin.takeDesired([desired(1, 7)]);
  await s.turns();
  s.change("yield");
  await s.turns();
  assert.equal(s.plant.held.get("speed"), 7);
  assert.equal(told, 4);
  await s.close();
});

test("hold: is a claim, not a result: it stands though the machine refused the value", async () => {
  const s = await site("hold");
  s.plant.trouble = new AppError("mapper/value-refused", "No");
  const { ended } = await s.twin.setLocally(local(5));
  await s.turns();
  assert.equal((await ended).state, "failed");
  s.plant.trouble = null;
  await s.twin.takeDesired([desired(1, 7)]);
  await s.turns();
  assert.deepEqual([s.plant.writes, s.twin.holds().length], [[], 1]);
  await s.close();
});

test("hold: survives a power cut with the value that waits, and is still nobody's but the holder's", async () => {
  const power = disk();
  const before = await site("hold", power.files);
  before.plant.trouble = new AppError("mapper/timeout", "Cannot write: no answer");
  await before.twin.setLocally(local(5, { holdMs: 60_000 }));
  await before.twin.takeDesired([desired(3, 7)]);
  power.crash();
  const s = await site("hold", power.files);
  await s.turns();
  assert.deepEqual(s.plant.writes, ["speed=5"]);
  assert.equal(s.view()?.cloud?.reason, "twin/held");
  assert.equal(s.view()?.local?.state, "confirmed");
  const next = await s.twin.setLocally(local(6));
  await s.turns();
  assert.equal((await next.ended).state, "confirmed", "versions of local values go on where they were");
  await s.close();
});

test("hold: a write of the cloud that is under way ends before the local one begins, never after it", async () => {
  const s = await site("hold");
  s.plant.roundTripMs = 50;
  await s.twin.takeDesired([desired(1, 7)]);
  await s.turns(20);
  const { ended } = await s.twin.setLocally(local(5));
  await s.turns(500);
  assert.deepEqual(s.plant.writes, ["speed=7", "speed=5"]);
  assert.equal((await ended).state, "confirmed");
  await s.twin.release(uid, "speed");
  await s.turns(500);
  assert.equal(s.plant.held.get("speed"), 7, "the value of the cloud is written again");
  await s.close();
});

test("all values of a device that are due go in one round trip, and those that come meanwhile in the next", async () => {
  const names = Array.from({ length: 20 }, (_, i) => `p${i}`);
  const device = machine({ properties: names });
  const s = await openSite(disk().files, { find: () => device });
  s.plant.roundTripMs = 100;
  await s.twin.takeDesired(names.slice(0, 10).map((name, i) => desired(1, i, name)));
  await s.turns(20);
  for (const name of names.slice(10)) await s.twin.takeDesired([desired(1, 50, name)]);
  await s.twin.takeDesired([desired(2, 51, "p19")]);
  await s.turns(1000);
  assert.deepEqual(
    s.plant.writes.map((write) => write.split(" ").length),
    [10, 9, 1],
    "the value that was replaced while it waited is left out, and its successor follows",
  );
  assert.ok(!s.plant.writes.join(" ").includes("p19=50"));
  assert.equal(s.plant.held.get("p19"), 51);
  await s.close();
});

test("an edit of a device writes and reads nothing, and neither does reading the twin", async () => {
  let device = machine({});
  const s = await openSite(disk().files, { find: () => device });
  await s.twin.takeDesired([desired(1, 5), desired(1, 6, "limit")]);
  await s.turns();
  const before = [s.plant.writes.length, s.plant.reads];
  for (let generation = 2; generation < 5; generation++) {
    device = machine({ generation });
    s.twin.devicesChanged();
    s.twin.desired(uid);
    s.twin.reported(uid);
    s.twin.holds();
    await s.turns();
  }
  assert.deepEqual([s.plant.writes.length, s.plant.reads], before);
  await s.close();
});
