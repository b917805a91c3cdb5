import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { withDefaults } from "@penstock/mapper-sdk";
import { AppError, browsedNodes, codeOf, type Value, type ValueType } from "@penstock/model";
import { openFor, point } from "../test/open-for.ts";
import { PlantServer, plantUri } from "../test/plant-server.ts";
import type { Method } from "./fields.ts";

let plant: PlantServer;
let opened: Awaited<ReturnType<typeof openFor>>;
const signal = new AbortController().signal;
before(async () => {
  plant = await PlantServer.start();
  opened = await openFor(plant.url);
});
after(async () => {
  await opened?.close();
  await plant?.stop();
});

test("opcua.browse() gives what a person needs to pick a node", async () => {
  const top = browsedNodes(await opened.connection.browse([], { signal }));
  const furnace = top.find(({ name }) => name === "Furnace");
  assert.deepEqual(furnace, { name: "Furnace", path: [`nsu=${plantUri};s=Furnace`], hasChildren: true });
  const below = browsedNodes(await opened.connection.browse(furnace!.path, { signal }));
  assert.deepEqual(below, [
    {
      name: "Temperature",
      path: [`nsu=${plantUri};s=Furnace`, `nsu=${plantUri};s=Furnace.Temperature`],
      visitor: { nodeId: `nsu=${plantUri};s=Furnace.Temperature` },
      type: "float64",
      access: "readWrite",
      unit: "°C",
      description: "Of the chamber",
    },
  ]);
  // What was picked is read with the type that was offered.
  const types = new Map(top.map(({ name, type }) => [name, type]));
  assert.deepEqual(
    ["int64", "byteString", "localizedText", "doubles", "dateTime"].map((name) => types.get(name)),
    ["int64", "bytes", "string", "json", "string"],
  );
});

test("a folder of thousands is browsed in pieces, up to the limit", async () => {
  const wide = await PlantServer.start({ counters: 2500 });
  const other = await openFor(wide.url);
  assert.equal((await other.connection.browse([], { signal })).length, 2000);
  await other.close();
  await wide.stop();
  assert.equal(
    await opened.connection.browse(["ns=1;s=none"], { signal }).then(() => "ok", codeOf),
    "mapper/bad-address",
  );
});

function call(args: Record<string, Value>, result: ValueType | null = null) {
  const visitor = { nodeId: `nsu=${plantUri};s=Furnace.Heat`, objectId: `nsu=${plantUri};s={place}` };
  return opened.connection.call(
    {
      ...{ device: "d", method: "heat", address: { place: "Furnace" }, result, deviceCustom: {} },
      ...{ arguments: args, visitor: withDefaults(opened.fields.method!, visitor) as Method },
    },
    { signal },
  );
}

test("a method is called with arguments of the types that it states", async () => {
  const batch = 2n ** 62n + 1n;
  assert.equal(await call({ batch, degrees: 20.5 }, "uint32"), 42);
  assert.deepEqual(plant.calls.pop(), [20.5, [0x40000000, 1]]);
  assert.equal(await call({ batch, degrees: 1 }), null);
  assert.deepEqual(await call({ batch, degrees: 1 }, "json"), { json: 42 });
});

test("a call that cannot be is refused before it is made, one that the server refuses with its reason", async () => {
  plant.calls.length = 0;
  const error = (args: Record<string, Value>) =>
    call(args).then(
      () => "called",
      (cause: unknown) => (cause instanceof AppError ? `${cause.code} ${cause.message}` : String(cause)),
    );
  assert.match(await error({ degrees: 1 }), /^mapper\/value-refused .*argument "batch" is missing/);
  assert.match(await error({ degrees: 1, batch: 1n, more: 1 }), /knows no argument "more"/);
  assert.match(await error({ degrees: true, batch: 1n }), /^mapper\/value-out-of-range/);
  assert.deepEqual(plant.calls, []);
  assert.match(await error({ degrees: 2000, batch: 1n }), /^mapper\/value-refused .*BadOutOfRange/);
});

test("events come as json objects of the fields that were asked for, with their own time", async () => {
  const space = plant.server.engine.addressSpace!;
  const told: unknown[] = [];
  const times: (number | undefined)[] = [];
  let came = () => {};
  const event = ["Message", "Severity", "SourceName", "NoSuchField"];
  const points = [
    point("i=2253", "json", { event, publishing: 50 }, ""),
    point("i=2253", "json", { event, publishing: 50, eventType: "i=2782" }, ""),
    point("i=2253", "string", { event, publishing: 50 }, ""),
  ];
  const ended = new AbortController();
  await opened.connection.subscribe(points, {
    ...{ signal, ended: ended.signal },
    each: (row, { value, reason, time }) => {
      told.push([row, reason ?? value]);
      times.push(time);
      came();
    },
  });
  assert.deepEqual(told.splice(0), [[2, "mapper/unsupported"]]);
  const two = new Promise<void>((resolve) => {
    came = () => told.length >= 2 && resolve();
  });
  for (const text of ["Door open", "Door closed"]) {
    space.rootFolder.objects.server.raiseEvent("BaseEventType", {
      message: { dataType: "LocalizedText", value: { text } },
      severity: { dataType: "UInt16", value: 500 },
      sourceName: { dataType: "String", value: "Furnace" },
    } as object as Parameters<typeof space.rootFolder.objects.server.raiseEvent>[1]);
  }
  await two;
  const expected = (text: string) => ({ Message: text, Severity: 500, SourceName: "Furnace", NoSuchField: null });
  assert.deepEqual(told, [
    [0, { json: expected("Door open") }],
    [0, { json: expected("Door closed") }],
  ]);
  assert.ok(times.slice(1).every((time) => time! > 1e15));
  const [read] = await opened.connection.read([points[0]!], { signal });
  assert.equal(read?.reason, "mapper/unsupported");
  ended.abort();
});
