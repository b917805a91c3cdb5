import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Micros, PropertyHold } from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { plant, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

test("the twin shows who holds a property and a desired value that waits says so, over a restart, until it is released", async () => {
  const { device, identity, uid } = await plant(bench, "h1");
  const hold: PropertyHold = {
    ...{ device: uid, property: "speed", holder: "shift 2", type: "int64", value: 9007199254740993n },
    ...{ since: bench.clock.now(), until: null },
  };
  await bench.services.control.takeHolds(identity, [hold]);
  const { view } = await bench.services.desired.set(system, { tenant, device, property: "speed" }, { value: 1 });
  assert.deepEqual([view.state, view.reason], ["pending", "twin/held"]);
  await bench.restart();
  const twin = async () => {
    const { properties } = await bench.services.twins.get(system, { tenant, device });
    return properties.find(({ property }) => property === "speed")!;
  };
  const held = await twin();
  assert.deepEqual([held.hold?.holder, held.hold?.value], ["shift 2", "9007199254740993"]);
  assert.equal(held.desired?.reason, "twin/held");
  assert.match(held.desired?.message ?? "", /shift 2 holds/);
  await bench.services.control.takeHolds(identity, []);
  const free = await twin();
  assert.deepEqual([free.hold, free.desired?.reason], [null, null]);
});

test("a desired value whose time ends while somebody holds its property says who", async () => {
  const { device, identity, uid } = await plant(bench, "h4");
  const hold: PropertyHold = {
    ...{ device: uid, property: "speed", holder: "shift 2", type: "int64", value: 5n },
    ...{ since: bench.clock.now(), until: null },
  };
  await bench.services.control.takeHolds(identity, [hold]);
  const ref = { tenant, device, property: "speed" };
  await bench.services.desired.set(system, ref, { value: 1, ttl: "5s" });
  const expired = new Promise<void>((resolve) => {
    bench.services.desired.onChange(({ view }) => {
      if (view.device === device) resolve();
    });
  });
  bench.clock.move(5001);
  await expired;
  const { state, message } = await bench.services.desired.get(system, ref);
  assert.equal(state, "expired");
  assert.match(message ?? "", /: shift 2 holds the property at the gateway$/);
});

test("a node tells holds of its own devices only", async () => {
  const own = await plant(bench, "h2");
  const other = await plant(bench, "h3");
  const hold: PropertyHold = {
    ...{ device: other.uid, property: "speed", holder: "x", type: "int64", value: 1n },
    ...{ since: 1 as Micros, until: null },
  };
  await bench.services.control.takeHolds(own.identity, [hold]);
  const { properties } = await bench.services.twins.get(system, { tenant, device: other.device });
  assert.ok(properties.every((property) => property.hold === null));
});
