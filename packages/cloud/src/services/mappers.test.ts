import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { limits, type NodeIdentity, type TenantUid, type ToldMapper } from "@penstock/model";
import { system } from "./context.ts";
import { modbus, type TestBench, testBench } from "./test/test-bench.ts";
import { plant, ref, refuses, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

interface Given {
  readonly told: ToldMapper;
  readonly bytes: Uint8Array;
}
/** A mapper as somebody's gateway has it. */
function mapper(name: string, version: string, visitor: object, more: object = {}): Given {
  const schema = { type: "object", properties: visitor, required: Object.keys(visitor), additionalProperties: false };
  const bytes = new TextEncoder().encode(JSON.stringify({ ...modbus, name, version, visitor: schema, ...more }));
  return { told: { name, version, hash: createHash("sha256").update(bytes).digest("hex") }, bytes };
}
const axis = { axis: { enum: ["x", "y"] } };

/** As the link does it: tells, and gives what is asked for. @returns how many were asked for */
async function tell(identity: NodeIdentity, given: readonly Given[]): Promise<number> {
  const { control } = bench.services;
  const asked = await control.takeMappers(
    identity,
    given.map(({ told }) => told),
  );
  for (const hash of asked) {
    await control.takeManifest(identity, hash, given.find(({ told }) => told.hash === hash)!.bytes);
  }
  return asked.length;
}
/** What follows of its own accord is done when no more changes. */
async function settle(): Promise<void> {
  bench.clock.move(1000);
  for (let i = 0; i < 50; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    await bench.context.db.selectFrom("settings").selectAll().execute();
  }
}
async function alarms(): Promise<[string | null, string, string][]> {
  const { items } = await bench.services.alarms.list(system, tenant, { active: true });
  return items.filter(({ code }) => code.startsWith("mapper/")).map(({ node, code, message }) => [node, code, message]);
}
const device = (node: string, visitor: object, protocol = "lathe", name = `lathe-${node}`) => ({
  metadata: { name },
  spec: {
    ...{ node, connection: { protocol, settings: { host: "10.0.0.1" } }, address: {} },
    properties: { speed: { type: "int64", visitor } },
  },
});
const listed = async (node?: string) => bench.services.mappers.list(system, tenant, node === undefined ? {} : { node });

test("a device of a mapper that only its gateway has is checked by that mapper's schema, also after a restart", async () => {
  const { node, identity } = await plant(bench, "m1");
  const { devices } = bench.services;
  const rule = /must be the name of a mapper: modbus; gateway "gw-m1" has not told its own yet: connect it first/;
  await assert.rejects(
    devices.create(system, ref(`lathe-${node}`), device(node, { axis: "x" })),
    refuses("input/invalid", rule),
  );
  assert.equal(await tell(identity, [mapper("lathe", "1.0.0", axis)]), 1);
  const wrong = devices.create(system, ref(`lathe-${node}`), device(node, { axis: "z" }));
  await assert.rejects(wrong, refuses("input/invalid", /spec.properties.speed.visitor.axis: "z": must be one of x, y/));
  await devices.create(system, ref(`lathe-${node}`), device(node, { axis: "x" }));
  await bench.restart();
  // The gateway is away, and says the same when it is back.
  const still = bench.services.devices.update(system, ref(`lathe-${node}`), {
    patch: { spec: { properties: { speed: { visitor: { axis: "q" } } } } },
    ifMatch: "*",
  });
  await assert.rejects(still, refuses("input/invalid", /visitor.axis: "q": must be one of x, y/));
  assert.equal(await tell(identity, [mapper("lathe", "1.0.0", axis)]), 0, "it is held already");
  const none = bench.services.devices.create(system, ref("typo"), device(node, { axis: "x" }, "lthe", "typo"));
  await assert.rejects(none, refuses("input/invalid", /must be the name of a mapper: lathe, modbus$/m));
});

test("what a gateway tells counts for its own devices only, and for no other tenant", async () => {
  const own = await plant(bench, "m2");
  const other = await plant(bench, "m3");
  await tell(own.identity, [mapper("mill", "1.0.0", axis)]);
  await tell(other.identity, []);
  const there = bench.services.devices.create(
    system,
    ref(`lathe-${other.node}`),
    device(other.node, { axis: "x" }, "mill"),
  );
  await assert.rejects(there, refuses("input/invalid", /must be the name of a mapper: modbus$/m));
  await bench.services.tenants.create(system, { tenant: "", name: "beta" }, { metadata: { name: "beta" }, spec: {} });
  const beta = { tenant: "beta", name: "gw-beta" };
  const made = await bench.services.nodes.create(system, beta, { metadata: { name: "gw-beta" }, spec: {} });
  const betaUid = (await bench.services.tenants.get(system, { tenant: "", name: "beta" })).metadata.uid as TenantUid;
  const stranger = { tenant: betaUid, node: made.metadata.uid } as NodeIdentity;
  assert.deepEqual(
    (await bench.services.mappers.list(system, "beta", {})).map(({ name }) => name),
    ["modbus"],
  );
  // Who knows a hash does not get what stands behind it.
  assert.equal(await tell(stranger, [mapper("mill", "1.0.0", axis)]), 1);
});

test("of one name and version the cloud's own counts, and a newer version of the gateway's counts for its devices", async () => {
  const { node, identity } = await plant(bench, "m4");
  const loose = { properties: {}, type: "object" };
  await tell(identity, [mapper("modbus", modbus.version, {}, { visitor: loose })]);
  const create = (name: string) =>
    bench.services.devices.create(system, ref(name), device(node, { anything: 1 }, "modbus", name));
  await assert.rejects(create("loose"), refuses("input/invalid", /unknown field, known are table, offset/));
  await settle();
  const differs = /Mapper modbus 1.0.0 states one thing in the cloud and another at gateway "gw-m4"/;
  assert.ok(
    (await alarms()).some(
      ([at, code, text]) => at === null && code === "mapper/manifest-differs" && differs.test(text),
    ),
  );
  const [counting] = await listed(node);
  assert.deepEqual([counting?.cloud, counting?.problem], [true, null]);
  assert.match(
    (await listed()).find(({ cloud, name }) => name === "modbus" && !cloud)?.problem ?? "",
    /cloud's own of this version counts/,
  );
  await tell(identity, [mapper("modbus", "2.0.0", {}, { visitor: loose })]);
  await create("loose");
  await settle();
  assert.ok(!(await alarms()).some(([, , text]) => text.includes("Mapper modbus 1.0.0")), "over once it has gone");
});

// Every gateway comes with the mappers that the cloud has, laid out another way where they are bundled.
test("a gateway's mapper that states the same as the cloud's is the same, however its manifest is laid out", async () => {
  const { node, identity } = await plant(bench, "m12");
  const risky = { host: { type: "string", pattern: "^(a+)+$" } };
  const odd = mapper("odd", "1.0.0", risky);
  const { custom: _, rules: __, ...rest } = modbus;
  const text = JSON.stringify({ ...rest, main: "./dist/index.js" }, null, 2);
  const bytes = new TextEncoder().encode(text);
  const hash = createHash("sha256").update(bytes).digest("hex");
  await tell(identity, [odd, { told: { name: "modbus", version: modbus.version, hash }, bytes }]);
  await settle();
  const mine = (await listed(node)).find(({ name }) => name === "modbus");
  assert.deepEqual([mine?.cloud, mine?.nodes.includes(node), mine?.problem], [true, true, null]);
  assert.ok(!(await alarms()).some(([, code, text]) => code === "mapper/manifest-differs" && text.includes("modbus")));
  // What may take long is left to the mapper.
  await bench.services.devices.create(system, ref(`lathe-${node}`), device(node, { host: "b" }, "odd"));
});

test("two gateways with different mappers of one name and version raise an alarm until one gets another version", async () => {
  const [a, b] = [await plant(bench, "m5"), await plant(bench, "m6")];
  await tell(a.identity, [mapper("saw", "1.0.0", axis)]);
  await tell(b.identity, [mapper("saw", "1.0.0", { blade: { type: "integer" } })]);
  await settle();
  const about = async () => (await alarms()).filter(([, , text]) => text.includes("Mapper saw 1.0.0"));
  assert.match((await about())[0]?.[2] ?? "", /at gateway "gw-m5" and another at gateway "gw-m6"/);
  // Each is checked by its own all the same.
  await bench.services.devices.create(system, ref(`lathe-${b.node}`), device(b.node, { blade: 3 }, "saw"));
  await bench.restart();
  await tell(b.identity, [mapper("saw", "1.1.0", { blade: { type: "integer" } })]);
  await settle();
  assert.deepEqual(await about(), []);
});

test("a mapper that changes at a gateway names the devices that no longer fit, changes nothing, and takes it back when they fit", async () => {
  const { node, device: conveyor, identity } = await plant(bench, "m7");
  await tell(identity, [mapper("drill", "1.0.0", axis)]);
  const name = `lathe-${node}`;
  const made = await bench.services.devices.create(system, ref(name), device(node, { axis: "y" }, "drill"));
  await settle();
  const findings = async (of = name) => (await bench.services.devices.get(system, ref(of))).status.findings;
  const unfit = async () => (await alarms()).filter(([at, code]) => at === node && code === "mapper/devices-unfit");
  assert.deepEqual([await findings(), await unfit()], [[], []]);

  await tell(identity, [mapper("drill", "2.0.0", { axis: { enum: ["x", "z"] } })]);
  await settle();
  const field = "spec.properties.speed.visitor.axis";
  assert.deepEqual(await findings(), [{ field, value: '"y"', rule: "must be one of x, z" }]);
  assert.deepEqual(await findings(conveyor), []);
  assert.match(
    (await unfit())[0]?.[2] ?? "",
    /^1 of its resources .* Device "lathe-gw-m7" spec.properties.speed.visitor.axis/,
  );
  const now = await bench.services.devices.get(system, ref(name));
  assert.equal(now.metadata.resourceVersion, made.metadata.resourceVersion, "nothing was changed");

  await bench.restart();
  assert.equal((await findings()).length, 1);
  await tell(identity, [mapper("drill", "2.0.0", { axis: { enum: ["x", "z"] } })]);
  await settle();
  assert.equal(
    (await bench.services.alarms.list(system, tenant, {})).items.find(
      ({ code, node: at }) => code === "mapper/devices-unfit" && at === node,
    )?.count,
    1,
  );

  const patch = { spec: { properties: { speed: { visitor: { axis: "z" } } } } };
  await bench.services.devices.update(system, ref(name), { patch, ifMatch: "*" });
  await settle();
  assert.deepEqual([await findings(), await unfit()], [[], []]);
  // A gateway without the mapper: its device is named as well.
  await tell(identity, []);
  await settle();
  assert.match((await findings())[0]?.rule ?? "", /must be the name of a mapper: modbus/);
  await bench.services.devices.remove(system, ref(name), "*");
  await settle();
  assert.deepEqual(await unfit(), []);
});

test("devices that no longer fit are looked at again when their model changes", async () => {
  const { node, identity } = await plant(bench, "m13");
  await tell(identity, [mapper("shaper", "1.0.0", axis)]);
  const name = `shaper-${node}`;
  const model = (wanted: string) => ({
    metadata: { name },
    spec: { properties: { speed: { type: "int64", visitor: { axis: wanted } } } },
  });
  await bench.services.deviceModels.create(system, ref(name), model("y"));
  const { spec } = device(node, {}, "shaper");
  const modelled = { metadata: { name }, spec: { ...spec, model: name, properties: {} } };
  await bench.services.devices.create(system, ref(name), modelled);
  await tell(identity, [mapper("shaper", "2.0.0", { axis: { enum: ["x", "z"] } })]);
  await settle();
  const findings = async () => (await bench.services.devices.get(system, ref(name))).status.findings;
  assert.equal((await findings()).length, 1);
  await bench.services.deviceModels.update(system, ref(name), { replace: model("z"), ifMatch: "*" });
  await settle();
  assert.deepEqual(await findings(), []);
  assert.ok(!(await alarms()).some(([at, code]) => at === node && code === "mapper/devices-unfit"));
});

test("a manifest that is none, or not what it was told to be, is named and used for nothing", async () => {
  const { node, identity } = await plant(bench, "m8");
  const { control } = bench.services;
  const broken = {
    told: { name: "odd", version: "1.0.0", hash: "" },
    bytes: new TextEncoder().encode('{"name":"odd"}'),
  };
  const odd = { ...broken, told: { ...broken.told, hash: createHash("sha256").update(broken.bytes).digest("hex") } };
  const press = mapper("press", "1.0.0", axis);
  const disguised = { ...press, told: { ...press.told, name: "lathe" } };
  await tell(identity, [odd, disguised]);
  await settle();
  const refused = (await alarms()).filter(([at, code]) => at === node && code === "mapper/manifest-refused");
  assert.match(
    refused.map(([, , text]) => text).join("\n"),
    /"odd" cannot be used: Cannot read mapper manifest: mapper.json.*missing/s,
  );
  assert.match(refused.map(([, , text]) => text).join("\n"), /told as lathe 1.0.0 and says that it is press 1.0.0/);
  for (const protocol of ["odd", "press", "lathe"]) {
    const wanted = bench.services.devices.create(system, ref("none"), device(node, { axis: "x" }, protocol, "none"));
    await assert.rejects(wanted, refuses("input/invalid", /must be the name of a mapper: modbus$/m));
  }
  // Not asked for again in the next session, and a text with another hash is not taken.
  assert.equal(await tell(identity, [odd, disguised]), 0);
  const other = mapper("lathe", "3.0.0", axis);
  await control.takeMappers(identity, [other.told]);
  await control.takeManifest(identity, other.told.hash, press.bytes);
  assert.deepEqual(await control.takeMappers(identity, [other.told]), [other.told.hash]);
  await control.takeManifest(identity, other.told.hash, other.bytes);
  await settle();
  assert.ok(!(await alarms()).some(([at, code]) => at === node && code === "mapper/manifest-refused"));
});

test("manifests beyond what a gateway may keep here are named, those before them count", async () => {
  const { node, identity } = await plant(bench, "m9");
  const filler = "x".repeat(1000);
  const large = (name: string) => {
    const fields = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`f${i}`, { description: filler }]));
    return mapper(name, "1.0.0", {}, { address: { type: "object", properties: fields } });
  };
  const many = Array.from({ length: 10 }, (_, i) => large(`large-${i}`));
  await tell(identity, many);
  const count = Math.floor(limits.manifestBytesPerNode / many[0]!.bytes.length);
  assert.equal((await listed(node)).filter(({ name }) => name.startsWith("large")).length, count);
  const refused = (await listed()).filter(({ problem }) => problem?.includes("bytes together") === true);
  assert.equal(refused.length, many.length - count);
});

test("what a deleted gateway told is forgotten, and manifests that nobody has any more with it", async () => {
  const made = await bench.services.nodes.create(system, ref("gw-m10"), { metadata: { name: "gw-m10" }, spec: {} });
  const { identity } = await plant(bench, "m11");
  const gone = { tenant: identity.tenant, node: made.metadata.uid } as NodeIdentity;
  await tell(gone, [mapper("plane", "1.0.0", axis)]);
  assert.ok((await listed()).some(({ name }) => name === "plane"));
  await bench.services.nodes.remove(system, ref("gw-m10"), "*");
  await settle();
  assert.ok(!(await listed()).some(({ name }) => name === "plane"));
  const rows = await bench.context.db.selectFrom("mapper_manifests").select("text").execute();
  assert.ok(!rows.some(({ text }) => text.includes('"plane"')));
});
