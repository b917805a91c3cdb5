import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import {
  type AppError,
  type DeviceSpec,
  hiddenSecret,
  type MapperManifest,
  secretFieldsOf,
  stringifyExact,
} from "@penstock/model";
import { silentLog } from "@penstock/runtime";
import { system } from "./context.ts";
import { createSpecSecrets } from "./spec-secrets.ts";
import { modbus, type TestBench, testBench } from "./test/test-bench.ts";
import { plant, ref, refuses, temperature, tenant } from "./test/test-plant.ts";

const text = { type: "string" } as const;
const hidden = { type: "string", format: "password" } as const;
/** `community` is secret by its schema alone */
const broker: MapperManifest = {
  ...modbus,
  name: "broker",
  connection: {
    type: "object",
    additionalProperties: false,
    required: ["url"],
    properties: { url: text, user: text, password: { ...hidden, maxLength: 20 }, community: hidden },
  },
  address: { type: "object", additionalProperties: false, properties: { pin: hidden, unitId: { type: "integer" } } },
  visitor: { type: "object", additionalProperties: false, properties: { key: hidden, offset: { type: "integer" } } },
};
const settings = { url: "mqtt://b", user: "u", password: "hunter2-a", community: "hunter2-b" };

async function stage(t: TestContext, suffix = "a") {
  const bench = await testBench({ manifests: [modbus, broker] });
  t.after(() => bench.close());
  const { node, identity } = await plant(bench, suffix);
  const { connections, devices } = bench.services;
  await connections.create(system, ref("line"), {
    metadata: { name: "line" },
    spec: { node, protocol: "broker", settings },
  });
  const spec: DeviceSpec = {
    node,
    connection: "line",
    address: { pin: "hunter2-c" },
    properties: { level: { ...temperature, visitor: { offset: 1, key: "hunter2-d" } } } as DeviceSpec["properties"],
  } as DeviceSpec;
  await devices.create(system, ref("tank"), { metadata: { name: "tank" }, spec });
  const assigned = () => bench.services.control.assigned(identity);
  return { bench, node, spec, identity, assigned };
}
function filesOf({ folder }: TestBench): string {
  const names = readdirSync(folder).filter((one) => one.startsWith("state.db"));
  return names.map((name) => readFileSync(join(folder, name), "latin1")).join("\n");
}
/** every text in every table */
async function everything({ state }: Pick<TestBench, "state">): Promise<string> {
  const found: unknown[] = [];
  for (const table of await state.db.introspection.getTables()) {
    found.push(
      await state.db
        .selectFrom(table.name as "resources")
        .selectAll()
        .execute(),
    );
  }
  return JSON.stringify(found);
}
async function settingsOf(bench: TestBench, name = "line"): Promise<unknown> {
  return (await bench.services.connections.get(system, ref(name))).spec.settings;
}
async function etagOf(bench: TestBench, name = "line"): Promise<string> {
  return (await bench.services.connections.get(system, ref(name))).metadata.resourceVersion;
}

// Whoever copies the database, or a backup of it, must not have the plant's passwords.
test("passwords are nowhere in the store in plain text, in none of its tables and files, and reach the gateway whole", async (t) => {
  const { bench, assigned, spec } = await stage(t);
  const { connections, deviceModels, devices, modelling } = bench.services;
  const [connection] = (await assigned()).connections.filter(({ name }) => name === "line");
  assert.deepEqual(connection?.settings, settings);
  const [device] = (await assigned()).devices.filter(({ name }) => name === "tank");
  assert.deepEqual(device?.address, { pin: "hunter2-c" });
  assert.deepEqual(device?.properties[0]?.visitor, { offset: 1, key: "hunter2-d" });

  // Models, history, deleted resources, and a rollout that keeps the version before.
  const model = { protocol: "broker", address: { pin: "hunter2-e" }, properties: { ...spec.properties } };
  await deviceModels.create(system, ref("m"), { metadata: { name: "m" }, spec: model });
  const inline = { ...spec, model: "m", connection: { protocol: "broker", settings } };
  await devices.create(system, ref("own"), { metadata: { name: "own" }, spec: inline });
  await modelling.beginRollout(system, ref("m"), {
    spec: { ...model, address: { pin: "hunter2-f" } },
    ...{ waves: "100%", pause: "1h", ifMatch: "*" },
  } as Parameters<typeof modelling.beginRollout>[2]);
  await devices.remove(system, ref("tank"), "*");
  await connections.update(system, ref("line"), {
    patch: { spec: { settings: { password: "hunter2-g" } } },
    ifMatch: "*",
  });
  assert.doesNotMatch(await everything(bench), /hunter2/);
  assert.doesNotMatch(filesOf(bench), /hunter2/);
  await bench.restart();
  assert.match(JSON.stringify(await assigned()), /hunter2-g/);
});

test("every answer shows a mark: resources, lists, versions, differences, tables, what is in effect, previews", async (t) => {
  const { bench, spec } = await stage(t);
  const { services } = bench;
  const { connections, devices } = services;
  const changed = { ...settings, password: "hunter2-h" };
  const node = spec.node;
  const answers: unknown[] = [
    await connections.update(system, ref("line"), {
      ...{
        replace: { metadata: { name: "line" }, spec: { node, protocol: "broker", settings: changed } },
        ifMatch: "*",
      },
    }),
    await connections.list(system, tenant, {}),
    await devices.get(system, ref("tank")),
    await devices.list(system, tenant, {}),
    await services.history.version(system, { ...ref("line"), kind: "Connection" }, 1),
    await services.modelling.effective(system, { tenant, device: "tank" }),
    await services.modelling.extractModel(system, { tenant, device: "tank" }, { model: "of-tank", dryRun: true }),
    await services.copies.create(system, { tenant, device: "tank" }, {
      ...{ pattern: "tank-{2..3}", steps: { "address.pin": ["hunter2-i", "hunter2-j"] }, dryRun: true },
    } as Parameters<typeof services.copies.create>[2]),
    await services.kubeedge.exportDevice(system, { tenant, device: "tank" }),
    new TextDecoder().decode(
      (await services.tables.exportDevices(system, tenant, { format: "csv", what: "devices" })).bytes,
    ),
    new TextDecoder().decode(
      (await services.tables.exportDevices(system, tenant, { format: "csv", what: "properties" })).bytes,
    ),
  ];
  for (const answer of answers) {
    assert.doesNotMatch(JSON.stringify(answer), /hunter2|sealed:/);
    assert.match(JSON.stringify(answer), /\*{8}/);
  }
  // That it changed is seen, and only where it did.
  const { changes } = await services.history.diff(system, { ...ref("line"), kind: "Connection" }, {});
  assert.deepEqual(changes, [{ field: "spec.settings.password", before: hiddenSecret, after: hiddenSecret }]);
});

test("a document with marks keeps what is stored: whole, as a patch, in a table, in a copy", async (t) => {
  const { bench, assigned } = await stage(t);
  const { connections, devices, tables, copies } = bench.services;
  const shown = await connections.get(system, ref("line"));
  const stored = { replace: { metadata: { name: "line" }, spec: shown.spec }, ifMatch: "*" };
  const same = await connections.update(system, ref("line"), stored);
  assert.equal(same.metadata.resourceVersion, shown.metadata.resourceVersion);
  const given = { ...shown.spec, settings };
  await connections.update(system, ref("line"), { replace: { metadata: { name: "line" }, spec: given }, ifMatch: "*" });
  assert.equal(await etagOf(bench), shown.metadata.resourceVersion, "the password itself is no change either");

  const edited = { ...shown.spec, settings: { ...(shown.spec.settings as object), url: "mqtt://c" } };
  await connections.update(system, ref("line"), {
    replace: { metadata: { name: "line" }, spec: edited },
    ifMatch: "*",
  });
  const patch = { spec: { settings: { user: "v", password: hiddenSecret } } };
  await connections.update(system, ref("line"), { patch, ifMatch: "*" });
  const line = (await assigned()).connections.find(({ name }) => name === "line");
  assert.deepEqual(line?.settings, { ...settings, url: "mqtt://c", user: "v" });

  const { bytes } = await tables.exportDevices(system, tenant, { format: "csv", what: "devices" });
  const csv = new TextDecoder().decode(bytes).replace(hiddenSecret, "hunter2-k");
  const request = { mode: "merge", removeAbsent: false, dryRun: false } as const;
  await tables.importDevices(system, tenant, { ...request, input: { format: "csv", devices: csv } });
  await copies.create(system, { tenant, device: "tank" }, { pattern: "tank-2" } as Parameters<typeof copies.create>[2]);
  const set = await assigned();
  for (const name of ["tank", "tank-2"]) {
    const one = set.devices.find((device) => device.name === name);
    assert.deepEqual(
      [one?.address, one?.properties[0]?.visitor],
      [{ pin: "hunter2-k" }, { offset: 1, key: "hunter2-d" }],
    );
  }
  assert.match(JSON.stringify(await devices.get(system, ref("tank-2"))), /\*{8}/);
});

test("a mark is refused by field where nothing is stored", async (t) => {
  const { bench, node } = await stage(t);
  const { connections } = bench.services;
  const spec = { node, protocol: "broker", settings: { url: "mqtt://b", user: "u", password: hiddenSecret } };
  await assert.rejects(
    connections.create(system, ref("new"), { metadata: { name: "new" }, spec }),
    refuses("input/invalid", /spec\.settings\.password: \*{8}: stands for a stored secret, and none is stored here/),
  );
});

test("history, undo and restore bring secrets back as they were", async (t) => {
  const { bench, assigned } = await stage(t);
  const { connections, history, changes } = bench.services;
  const patch = { spec: { settings: { password: "hunter2-l" } } };
  await connections.update(system, ref("line"), { patch, ifMatch: "*" });
  const passwordNow = async () => {
    const line = (await assigned()).connections.find(({ name }) => name === "line");
    return (line!.settings as { password: string }).password;
  };
  await history.restore(system, { ...ref("line"), kind: "Connection" }, { version: 1, ifMatch: "*" });
  assert.equal(await passwordNow(), "hunter2-a");
  const [last] = (await changes.list(system, tenant, {})).items;
  await changes.undo(system, { tenant, change: last!.change }, {});
  assert.equal(await passwordNow(), "hunter2-l");
  await bench.services.devices.remove(system, ref("tank"), "*");
  await history.restore(system, { ...ref("tank"), kind: "Device" }, { version: 1, ifMatch: "*" });
  assert.match(JSON.stringify((await assigned()).devices), /hunter2-c.*hunter2-d/);
});

// Errors end on screens and in logs.
test("refusals name field and rule of a secret, never the secret", async (t) => {
  const { bench, node } = await stage(t);
  const { connections, copies } = bench.services;
  const make = (more: object) =>
    connections.create(system, ref("new"), {
      metadata: { name: "new" },
      spec: { node, protocol: "broker", settings: { ...settings, ...more } },
    });
  const cases: [Promise<unknown>, RegExp][] = [
    [make({ password: "hunter2-".repeat(5) }), /spec\.settings\.password: \(hidden\): /],
    [make({ community: 12_345_678 }), /spec\.settings\.community: \(hidden\): /],
    [make({ apiToken: "hunter2" }), /spec\.settings\.apiToken: \(hidden\): unknown field/],
    [
      copies.create(system, { tenant, device: "tank" }, {
        ...{ pattern: "tank-{2..3}", steps: { "address.pin": "hunter2-i" } },
      } as Parameters<typeof copies.create>[2]),
      /address\.pin/,
    ],
  ];
  for (const [refused, about] of cases) {
    await assert.rejects(refused, (error: AppError) => {
      assert.match(error.message, about);
      assert.doesNotMatch(JSON.stringify([error.message, error.fields]), /hunter2|12345678/);
      return true;
    });
  }
  assert.deepEqual(await settingsOf(bench), { ...settings, password: hiddenSecret, community: hiddenSecret });
});

// Whoever may write to the database must not make the cloud hand one tenant's password to another.
test("a sealed secret that is moved to another tenant, resource or field is left out, and the rest goes on", async (t) => {
  const { bench, assigned } = await stage(t);
  const { state } = bench;
  const rows = await state.db.selectFrom("resources").selectAll().where("name", "=", "line").execute();
  const sealed = (rows[0]!.spec.match(/"password":"(sealed:[^"]+)"/) ?? [])[1]!;
  const moved = rows[0]!.spec.replace(/"community":"sealed:[^"]+"/, `"community":"${sealed}"`);
  await state.db.updateTable("resources").set({ spec: moved }).where("uid", "=", rows[0]!.uid).execute();
  const { community: _, ...rest } = settings;
  const line = (await assigned()).connections.find(({ name }) => name === "line");
  assert.deepEqual(line?.settings, rest);
  assert.equal((await assigned()).devices.length, 2);
});

test("a text that looks sealed is kept as it was written, and opens nothing", async (t) => {
  const { bench, node, assigned } = await stage(t);
  const rows = await bench.state.db.selectFrom("resources").selectAll().where("name", "=", "line").execute();
  const sealed = (rows[0]!.spec.match(/"password":"(sealed:[^"]+)"/) ?? [])[1]!;
  const spec = { node, protocol: "broker", settings: { url: sealed, password: "sealed:v1:x" } };
  await bench.services.connections.create(system, ref("new"), { metadata: { name: "new" }, spec });
  const line = (await assigned()).connections.find(({ name }) => name === "new");
  assert.deepEqual(line?.settings, { url: sealed, password: "sealed:v1:x" });
  const { devices } = bench.services;
  await devices.update(system, ref("tank"), { patch: { spec: { description: "sealed:v1:x" } }, ifMatch: "*" });
  const same = { patch: { spec: { description: "sealed:v1:x" } }, ifMatch: "*" };
  const { metadata } = await devices.update(system, ref("tank"), same);
  assert.equal(metadata.generation, 2, "it is what it was");
});

test("what was stored before there was a key is sealed at the start, in the history too, and leaves the files", async (t) => {
  const { bench, assigned } = await stage(t);
  const { db } = bench.state;
  const fields = new Set(secretFieldsOf(broker));
  const secrets = createSpecSecrets({ box: bench.context.box, log: silentLog, secretFields: () => fields });
  const rows = await db.selectFrom("resources").selectAll().where("name", "in", ["line", "tank"]).execute();
  for (const row of rows) {
    const spec = stringifyExact(secrets.open(row));
    await db.updateTable("resources").set({ spec }).where("uid", "=", row.uid).execute();
    await db.updateTable("resource_versions").set({ spec }).where("uid", "=", row.uid).execute();
  }
  await db.deleteFrom("settings").where("name", "like", "secrets sealed%").execute();
  assert.match(await everything(bench), /hunter2/);
  await bench.restart();
  assert.doesNotMatch(await everything(bench), /hunter2/);
  assert.doesNotMatch(filesOf(bench), /hunter2/);
  assert.deepEqual((await assigned()).connections.find(({ name }) => name === "line")?.settings, settings);
});

test("a new key seals anew what an old one sealed, and the old one may go; a lost one costs the passwords alone", async (t) => {
  const { bench, node, assigned } = await stage(t);
  const passwordOf = async () => (await assigned()).connections.find(({ name }) => name === "line")?.settings;
  await bench.restart([8, 7]);
  await bench.restart([8]);
  assert.deepEqual(await passwordOf(), settings);
  assert.match(JSON.stringify((await assigned()).devices), /hunter2-c.*hunter2-d/);

  await bench.restart([9]);
  assert.deepEqual(await passwordOf(), { url: settings.url, user: settings.user });
  assert.equal((await assigned()).devices.length, 2);
  const { connections } = bench.services;
  const { spec } = await connections.get(system, ref("line"));
  assert.equal(JSON.stringify(spec).split(hiddenSecret).length - 1, 2, "they are still there, and may be opened again");
  const again = { replace: { metadata: { name: "line" }, spec }, ifMatch: "*" };
  await assert.rejects(connections.update(system, ref("line"), again), refuses("input/invalid", /none is stored here/));
  const typedIn = { metadata: { name: "line" }, spec: { node, protocol: "broker", settings } };
  await connections.update(system, ref("line"), { replace: typedIn, ifMatch: "*" });
  assert.deepEqual(await passwordOf(), settings);
  // A key that is found again opens what was not typed in anew.
  await bench.restart([9, 8]);
  assert.match(JSON.stringify((await assigned()).devices), /hunter2-c.*hunter2-d/);
});

test("what a gateway's mapper calls secret is sealed from then on, also where it is stored already", async (t) => {
  const bench = await testBench();
  t.after(() => bench.close());
  const { identity, node } = await plant(bench, "b");
  const { control, connections } = bench.services;
  const manifest = { ...broker, name: "lathe", version: "1.0.0", main: "./main.ts" };
  const told = (more: object) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...manifest, ...more }));
    return { bytes, hash: createHash("sha256").update(bytes).digest("hex") };
  };
  const open = told({ connection: { type: "object", properties: { community: text } } });
  await control.takeMappers(identity, [{ name: "lathe", version: "1.0.0", hash: open.hash }]);
  await control.takeManifest(identity, open.hash, open.bytes);
  const spec = { node, protocol: "lathe", settings: { community: "hunter2-z" } };
  await connections.create(system, ref("lathe"), { metadata: { name: "lathe" }, spec });
  assert.match(await everything(bench), /hunter2-z/);

  const closed = told({ version: "1.0.1" });
  await control.takeMappers(identity, [{ name: "lathe", version: "1.0.1", hash: closed.hash }]);
  await control.takeManifest(identity, closed.hash, closed.bytes);
  while (/hunter2-z/.test(await everything(bench)) || /hunter2-z/.test(filesOf(bench))) await turn();
  assert.deepEqual(await settingsOf(bench, "lathe"), { community: hiddenSecret });
  const set = await control.assigned(identity);
  assert.deepEqual(set.connections.find(({ name }) => name === "lathe")?.settings, { community: "hunter2-z" });
});
