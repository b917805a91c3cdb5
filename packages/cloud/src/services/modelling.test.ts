import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type AppError,
  batchFromSamples,
  type DeviceModelSpec,
  type DeviceSpec,
  type DeviceUid,
  type Epoch,
  type Layout,
  type NodeReport,
  type Sample,
} from "@penstock/model";
import { system } from "./context.ts";
import { planWaves } from "./plan-waves.ts";
import { testBench } from "./test/test-bench.ts";
import { plant, ref, refuses, tenant } from "./test/test-plant.ts";

const names = Array.from({ length: 10 }, (_, i) => `temp-${String(i + 1).padStart(2, "0")}`);

/** Ten thermometers of one model at one gateway, which is connected and finds them well. */
async function stage(t: TestContext) {
  const bench = await testBench();
  t.after(() => bench.close());
  const made = await plant(bench, "a");
  for (const [i, name] of names.entries()) {
    await bench.services.devices.create(system, ref(name), {
      metadata: { name },
      spec: {
        ...{ node: made.node, connection: made.bus, address: { unitId: i + 1 } },
        properties: { t: { type: "float64", unit: "Cel", visitor: { table: "holding", offset: 0 } } },
      },
    });
  }
  const uids = new Map<string, string>();
  for (const name of names) {
    uids.set(name, (await bench.services.devices.get(system, ref(name))).metadata.uid);
  }
  bench.connected.add(made.identity.node);
  const report = (offline: readonly string[]) => {
    bench.services.control.nodeConnected(made.identity, { boot: "b" as never, agentVersion: "1", remote: "r" });
    const devices = names.map((name) => {
      const state = offline.includes(name) ? ("offline" as const) : ("online" as const);
      const bad = state === "offline";
      const why = { reason: bad ? ("mapper/timeout" as const) : null, message: bad ? "No answer" : null };
      return { device: uids.get(name) as never, state, ...why };
    });
    bench.services.control.nodeReport(made.identity, {
      ...{ agentVersion: "1", mappers: [], devices, cycles: [], lines: [], counters: {} },
      outbox: { bytes: 0, entries: 0, readings: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false },
    } as NodeReport);
  };
  report([]);
  /** which devices have the new unit, as the gateway is told */
  const reached = async () => {
    const set = await bench.services.control.assigned(made.identity);
    return set.devices.filter(({ properties }) => properties[0]?.unit === "K").map(({ name }) => name);
  };
  const units = async (of = names) => {
    const { devices } = await bench.services.control.assigned(made.identity);
    return of.map((name) => devices.find((one) => one.name === name)?.properties[0]?.unit);
  };
  return { bench, made, report, reached, units, uids };
}
type Stage = Awaited<ReturnType<typeof stage>>;

async function withModel({ bench }: Stage) {
  const of = names.slice(1);
  return bench.services.modelling.extractModel(system, { tenant, device: "temp-01" }, { model: "temp", of });
}
const inKelvin = {
  protocol: "modbus",
  properties: { t: { type: "float64", unit: "K", visitor: { table: "holding", offset: 0 } } },
};

async function begin({ bench }: Stage, pause = "10m") {
  const request = { spec: inKelvin, waves: "1,40%,100%", pause, ifMatch: "*" };
  return bench.services.modelling.beginRollout(system, ref("temp"), request);
}
/** Timers start work that goes on in the background. */
async function until(isThere: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await isThere()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail("did not come");
}

test("extractModel() makes a model and changes nothing that a gateway does", async (t) => {
  const here = await stage(t);
  const strip = (set: Awaited<ReturnType<typeof here.bench.services.control.assigned>>) =>
    set.devices.map(({ generation: _, ...device }) => device);
  const before = strip(await here.bench.services.control.assigned(here.made.identity));
  const dry = await here.bench.services.modelling.extractModel(
    system,
    { tenant, device: "temp-01" },
    { model: "temp", dryRun: true },
  );
  assert.equal(dry.devices[0]!.name, "temp-01");
  await assert.rejects(here.bench.services.deviceModels.get(system, ref("temp")), refuses("resource/not-found"));
  await withModel(here);
  assert.deepEqual(strip(await here.bench.services.control.assigned(here.made.identity)), before);
  const spec = (await here.bench.services.devices.get(system, ref("temp-03"))).spec as DeviceSpec;
  assert.equal(spec.model, "temp");
  assert.equal(spec.properties, undefined);
  assert.deepEqual(spec.address, { unitId: 3 });
  const again = here.bench.services.modelling.extractModel(system, { tenant, device: "temp-01" }, { model: "more" });
  await assert.rejects(again, refuses("input/invalid", /has the model "temp" already/));
});

test("effective() says where values come from", async (t) => {
  const here = await stage(t);
  await withModel(here);
  const { fields } = await here.bench.services.modelling.effective(system, { tenant, device: "temp-02" });
  const of = (field: string) => fields.find((one) => one.field === field);
  assert.deepEqual(of("properties.t.unit"), {
    field: "properties.t.unit",
    value: "Cel",
    origin: "model",
    from: "temp",
  });
  assert.deepEqual(of("address.unitId"), { field: "address.unitId", value: 2, origin: "device", from: null });
  assert.equal(of("connection.settings.host")?.origin, "connection");
  assert.equal(of("properties.t.collect.every")?.origin, "built-in default");
});

test("preview() names each device that an edit touches and what changes in it, and stores nothing", async (t) => {
  const here = await stage(t);
  await withModel(here);
  const { modelling, devices, deviceModels } = here.bench.services;
  // One device says its own unit, so the edit does not reach it.
  await devices.update(system, ref("temp-04"), {
    patch: { spec: { properties: { t: { unit: "Cel" } } } },
    ifMatch: "*",
  });
  const before = await deviceModels.get(system, ref("temp"));
  const { touches, untouched } = await modelling.preview(system, ref("temp"), { spec: inKelvin });
  assert.equal(untouched, 1);
  assert.deepEqual(
    touches.map(({ device }) => device),
    names.filter((name) => name !== "temp-04"),
  );
  assert.deepEqual(touches[0]!.changes, [{ field: "properties.t.unit", before: "Cel", after: "K" }]);
  const broken = {
    ...inKelvin,
    properties: { t: { ...inKelvin.properties.t, visitor: { table: "lamp", offset: 0 } } },
  };
  const would = await modelling.preview(system, ref("temp"), { spec: broken });
  assert.equal(would.touches[0]!.breaks[0]!.field, "spec.properties.t.visitor.table");
  assert.deepEqual(await deviceModels.get(system, ref("temp")), before);
});

test("a rollout reaches one wave after the other and is done when the last has been looked at", async (t) => {
  const here = await stage(t);
  await withModel(here);
  const view = await begin(here);
  assert.deepEqual(
    view.waves.map(({ devices, reached }) => [devices.length, reached]),
    [
      [1, true],
      [3, false],
      [6, false],
    ],
  );
  assert.deepEqual(await here.reached(), ["temp-01"]);
  const edit = here.bench.services.deviceModels.update(system, ref("temp"), {
    patch: { spec: { description: "x" } },
    ifMatch: "*",
  });
  await assert.rejects(edit, refuses("resource/rolling-out"));
  // What people read of a device is what its gateway does.
  const twin = await here.bench.services.twins.get(system, { tenant, device: "temp-02" });
  assert.equal(twin.properties[0]!.unit, "Cel");
  here.bench.clock.move(600_000);
  await until(async () => (await here.reached()).length === 4);
  here.bench.clock.move(600_000);
  await until(async () => (await here.reached()).length === 10);
  assert.equal((await here.bench.services.modelling.getRollout(system, ref("temp"))).state, "running");
  here.bench.clock.move(600_000);
  await until(async () => (await here.bench.services.modelling.getRollout(system, ref("temp"))).state === "done");
});

test("a rollout stops by itself when a device of its wave goes offline, and cancelling gives all the version before", async (t) => {
  const here = await stage(t);
  await withModel(here);
  // Broken before the change: that is no sign against it.
  here.report(["temp-01"]);
  await begin(here);
  here.bench.clock.move(600_000);
  await until(async () => (await here.reached()).length === 4);
  here.report(["temp-01", "temp-03"]);
  here.bench.clock.move(600_000);
  const { modelling } = here.bench.services;
  await until(async () => (await modelling.getRollout(system, ref("temp"))).state === "stopped");
  assert.match((await modelling.getRollout(system, ref("temp"))).message!, /Device "temp-03": No answer/);
  assert.equal((await here.reached()).length, 4);
  assert.equal((await modelling.actRollout(system, ref("temp"), "cancel")).state, "cancelled");
  assert.deepEqual(
    await here.units(),
    names.map(() => "Cel"),
  );
  const { spec } = await here.bench.services.deviceModels.get(system, ref("temp"));
  assert.equal((spec as DeviceModelSpec).properties.t!.unit, "Cel");
});

test("a rollout stops when a device of its wave reads bad values that were good before", async (t) => {
  const here = await stage(t);
  await withModel(here);
  await begin(here);
  const uid = here.uids.get("temp-01") as DeviceUid;
  const layout: Layout = { id: 1, device: uid, properties: [{ name: "t", type: "float64" }] };
  const time = here.bench.clock.now();
  const sample: Sample = { property: "t", time, value: null, quality: "bad", reason: "mapper/bad-address" };
  const { batch } = batchFromSamples({ layout, samples: [sample] });
  here.bench.services.onCommitted({ ...here.made.identity, epoch: "e" as Epoch, firstSeq: 1, layout, batch });
  here.bench.clock.move(600_000);
  const { modelling } = here.bench.services;
  await until(async () => (await modelling.getRollout(system, ref("temp"))).state === "stopped");
  const { message } = await modelling.getRollout(system, ref("temp"));
  assert.equal(message, 'Device "temp-01": property "t" is bad: mapper/bad-address');
  assert.deepEqual(await here.reached(), ["temp-01"]);
});

test("a rollout can be paused and resumed, and goes on after a restart", async (t) => {
  const here = await stage(t);
  await withModel(here);
  await begin(here);
  await here.bench.services.modelling.actRollout(system, ref("temp"), "pause");
  here.bench.clock.move(3_600_000);
  assert.deepEqual(await here.reached(), ["temp-01"]);
  const again = here.bench.services.modelling.actRollout(system, ref("temp"), "pause");
  await assert.rejects(again, refuses("input/invalid", /cannot be done while it is paused/));
  await here.bench.restart();
  here.report([]);
  assert.deepEqual(await here.reached(), ["temp-01"]);
  await here.bench.services.modelling.actRollout(system, ref("temp"), "resume");
  here.bench.clock.move(0);
  await until(async () => (await here.reached()).length === 4);
  await here.bench.restart();
  here.report([]);
  here.bench.clock.move(600_000);
  await until(async () => (await here.reached()).length === 10);
});

// Three versions of one model at once would be nobody's plan.
test("while a model is rolled out it is not restored, undone or deleted, and the refusal says why", async (t) => {
  const here = await stage(t);
  await withModel(here);
  const { deviceModels, devices, history, changes, modelling } = here.bench.services;
  await deviceModels.update(system, ref("temp"), { patch: { spec: { description: "x" } }, ifMatch: "*" });
  const [edit] = (await changes.list(system, tenant, {})).items;
  await begin(here);
  const restore = () => history.restore(system, { ...ref("temp"), kind: "DeviceModel" }, { version: 1, ifMatch: "*" });
  const why = /rollout is running; wait for its end, or cancel it/;
  await assert.rejects(restore(), (error: AppError) => why.test(error.fields[0]?.rule ?? error.message));
  await assert.rejects(changes.undo(system, { tenant, change: edit!.change }, {}));
  for (const name of names) {
    await devices.update(system, ref(name), {
      patch: { spec: { model: null, properties: inKelvin.properties } },
      ifMatch: "*",
    });
  }
  await assert.rejects(deviceModels.remove(system, ref("temp"), "*"), refuses("resource/rolling-out", why));
  assert.equal((await modelling.getRollout(system, ref("temp"))).state, "running");
  await modelling.actRollout(system, ref("temp"), "cancel");
  await restore();
  await deviceModels.remove(system, ref("temp"), "*");
});

test("a device that is restored while its model is rolled out keeps its wave; what leaves the model leaves the rollout", async (t) => {
  const here = await stage(t);
  await withModel(here);
  const { devices, history, modelling } = here.bench.services;
  const restore = (name: string, version: number) =>
    history.restore(system, { ...ref(name), kind: "Device" }, { version, ifMatch: "*" });
  const edit = (name: string, spec: object) => devices.update(system, ref(name), { patch: { spec }, ifMatch: "*" });
  const ofWaves = async () =>
    (await modelling.getRollout(system, ref("temp"))).waves.map(({ devices }) => devices.toSorted().join(" "));
  await edit("temp-05", { description: "x" });
  await begin(here);
  // Version 1 of each is without the model, version 2 with it.
  await restore("temp-05", 2);
  await restore("temp-02", 1);
  await restore("temp-10", 1);
  assert.deepEqual(await ofWaves(), ["temp-01", "temp-03 temp-04", "temp-05 temp-06 temp-07 temp-08 temp-09"]);
  assert.deepEqual(await here.reached(), ["temp-01"]);
  // What left is not looked at.
  here.report(["temp-02"]);
  here.bench.clock.move(600_000);
  await until(async () => (await here.reached()).length === 3);

  // It comes back to a wave that has been reached, and to one that has not.
  await restore("temp-02", 2);
  await restore("temp-10", 2);
  assert.deepEqual(await here.units(["temp-02", "temp-10", "temp-05"]), ["K", "Cel", "Cel"]);
  // A new one waits for the last wave.
  const spec = (await devices.get(system, ref("temp-05"))).spec as DeviceSpec;
  await devices.create(system, ref("temp-11"), {
    metadata: { name: "temp-11" },
    spec: { ...spec, address: { unitId: 11 } },
  });
  assert.deepEqual(await here.units(["temp-11"]), ["Cel"]);
  assert.match((await ofWaves())[2]!, /temp-10 temp-11$/);
  here.report([]);
  here.bench.clock.move(600_000);
  await until(async () => (await here.units(["temp-11"]))[0] === "K");
  here.bench.clock.move(600_000);
  await until(async () => (await modelling.getRollout(system, ref("temp"))).state === "done");
});

test("a device must fit the version that it has until its wave as well as the newest", async (t) => {
  const here = await stage(t);
  await withModel(here);
  const { devices, modelling } = here.bench.services;
  const more = { type: "float64", visitor: { table: "holding", offset: 8 } };
  const spec = { ...inKelvin, properties: { ...inKelvin.properties, more } };
  await modelling.beginRollout(system, ref("temp"), { spec, waves: "1,100%", pause: "10m", ifMatch: "*" });
  const override = (name: string) =>
    devices.update(system, ref(name), {
      patch: { spec: { properties: { more: { collect: { every: "5s" } } } } },
      ifMatch: "*",
    });
  await override("temp-01");
  await assert.rejects(
    override("temp-02"),
    refuses("input/invalid", /version of model "temp" that the device has until its wave/),
  );
});

test("a rollout of a model that breaks a device changes nothing", async (t) => {
  const here = await stage(t);
  await withModel(here);
  const spec = { ...inKelvin, properties: { t: { ...inKelvin.properties.t, visitor: { table: "lamp", offset: 0 } } } };
  const request = { spec, waves: "1,100%", pause: "10m", ifMatch: "*" };
  await assert.rejects(
    here.bench.services.modelling.beginRollout(system, ref("temp"), request),
    refuses("input/invalid"),
  );
  const none = here.bench.services.modelling.getRollout(system, ref("temp"));
  await assert.rejects(none, refuses("resource/not-found"));
  assert.deepEqual(
    await here.units(),
    names.map(() => "Cel"),
  );
});

test("planWaves() cuts by counts and percents, and refuses what does not ascend", () => {
  const sizes = (waves: string) => planWaves(names, waves).map(({ length }) => length);
  assert.deepEqual(sizes("1,10%,100%"), [1, 9]);
  assert.deepEqual(sizes("2,5"), [2, 3, 5]);
  assert.deepEqual(sizes("100%"), [10]);
  assert.deepEqual(planWaves([], "1,100%"), []);
  for (const waves of ["", "0", "5,2", "50%,10%", "101%", "all"]) {
    assert.throws(() => sizes(waves), refuses("input/invalid"), waves);
  }
});
