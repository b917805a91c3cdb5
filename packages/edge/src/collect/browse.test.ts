import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectionUid, codeOf } from "@penstock/model";
import { setUpCollect } from "./test/collect-fixture.ts";
import { assigned, connection, device, property } from "./test/test-set.ts";

const bus = "bus-a" as ConnectionUid;
const set = () => assigned([device("press", [property("level")])]);
const outcome = (work: Promise<readonly { name: string }[]>) =>
  work.then((nodes) => nodes.map(({ name }) => name), codeOf);

// Whoever applies a connection browses it in the next breath, and a library may take seconds to load.
test("collect.browse() right after apply waits until the mapper runs", async (t) => {
  const { clock, collect, processes } = setUpCollect(t);
  collect.apply(set());
  const browsed = outcome(collect.browse(bus, []));
  assert.equal(processes.started.length, 0);
  await clock.advanceAsync(100);
  assert.deepEqual(await browsed, ["level"]);
  const order = processes.last.heard.map((message) => message.t).filter((kind) => kind === "open" || kind === "browse");
  assert.deepEqual(order, ["open", "browse"]);
});

test("collect.browse() waits while other files take a mapper's place", async (t) => {
  const { clock, collect, processes } = setUpCollect(t);
  collect.apply(set());
  await clock.advanceAsync(100);
  collect.mappersChanged(["fake"]);
  const browsed = outcome(collect.browse(bus, []));
  await clock.advanceAsync(100);
  assert.deepEqual([await browsed, processes.started.length], [["level"], 2]);
});

test("collect.browse() says at once that a mapper is missing, has died or is not needed any more", async (t) => {
  const { clock, collect, processes } = setUpCollect(t);
  const nobody = connection("bus-b", { protocol: "nobody" });
  collect.apply(assigned([device("press", [property("level")])], [connection("bus-a"), nobody]));
  const browsed = [bus, "bus-b" as ConnectionUid].map((uid) => outcome(collect.browse(uid, [])));
  while (processes.started.length === 0) await Promise.resolve();
  processes.last.die(1);
  await clock.advanceAsync(0);
  assert.deepEqual(await Promise.all(browsed), ["mapper/stopped", "mapper/not-found"]);
  assert.equal(await outcome(collect.browse(bus, [])), "mapper/stopped");
  await clock.advanceAsync(1000);
  assert.deepEqual(await Promise.all([outcome(collect.browse(bus, [])), clock.advanceAsync(10)]).then(([a]) => a), [
    "level",
  ]);
  collect.apply(assigned([], []));
  assert.equal(await outcome(collect.browse(bus, [])), "resource/not-found");
});

test("collect.browse() waits no longer than a mapper has to say hello", async (t) => {
  const { clock, collect, processes } = setUpCollect(t);
  processes.isMute = true;
  collect.apply(set());
  const browsed = outcome(collect.browse(bus, []));
  let isOver = false;
  void browsed.then(() => {
    isOver = true;
  });
  await clock.advanceAsync(9000);
  assert.equal(isOver, false);
  await clock.advanceAsync(1100);
  assert.equal(await browsed, "mapper/stopped");
});
