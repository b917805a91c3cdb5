import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { isRead, MemoryUnit, ModbusServer } from "@penstock/testkit";
import { type CloudProcess, type EdgeProcess, eventually, TestBench } from "./support/penstock.ts";

/** Counted where it matters, at the device: nothing is written but what somebody has asked for, and that once. */
const bench = new TestBench();
const press = 1;
const marker = 2;
const names = ["p0", "p1", "p2", "p3", "p4", "p5"] as const;
/** two registers, far from the others */
const far = { name: "far", offset: 50 };
const writes: { readonly unit: number; readonly start: number; readonly words: number[] }[] = [];
let reads = 0;
let marks = 0;
let server: ModbusServer;
let cloud: CloudProcess;
let gateway: EdgeProcess;

before(async () => {
  server = await ModbusServer.listen({
    units: new Map([press, marker].map((unit) => [unit, new MemoryUnit({ holding: 60 })])),
    hook: ({ unit, request }) => {
      if (request === null) return;
      if (isRead(request)) {
        if (unit === press) reads++;
      } else if (request.kind === "write-registers") {
        writes.push({ unit, start: request.start, words: [...request.words] });
      } else throw new Error(`Unexpected ${request.kind}`);
    },
  });
  cloud = await bench.startCloud();
  gateway = await bench.startEdge(cloud, "gw-01");
  await apply(documents());
  for (const [i, name] of [...names, far.name].entries()) await set("press", name, 100 + i);
  await settled();
});
after(async () => {
  await bench.close();
  await server.close();
});
beforeEach(() => {
  writes.length = 0;
});

interface Shape {
  readonly every: string;
  readonly maximum: number;
  readonly unit: string;
  readonly extra: boolean;
  readonly port: number;
}

/** The device as it was first described, but for what is changed. */
function documents(change: Partial<Shape> = {}): object[] {
  const usual = { every: "100ms", maximum: 1000, unit: "Cel", extra: false, port: server.port };
  const { every, maximum, unit, extra, port } = { ...usual, ...change };
  const property = (offset: number) => ({ type: "uint16", access: "readWrite", visitor: { table: "holding", offset } });
  const edited = { minimum: 0, maximum, unit, collect: { every } };
  const properties = {
    ...Object.fromEntries(names.map((name, i) => [name, { ...property(i), collect: { every: "100ms" } }])),
    p0: { ...property(0), ...edited },
    [far.name]: { ...property(far.offset), type: "uint32", visitor: { table: "holding", offset: far.offset } },
    ...(extra && { added: property(40) }),
  };
  const document = (kind: string, name: string, spec: object) => {
    return { apiVersion: "penstock.dev/v1", kind, metadata: { name }, spec: { node: "gw-01", ...spec } };
  };
  const on = (unitId: number) => ({ connection: "line", address: { unitId } });
  const settings = { host: "127.0.0.1", port };
  return [
    document("Connection", "line", { protocol: "modbus", settings }),
    document("Device", "press", { ...on(press), properties }),
    document("Device", "marker", { ...on(marker), properties: { mark: property(0) } }),
  ];
}

async function apply(list: readonly object[]): Promise<void> {
  const input = list.map((document) => JSON.stringify(document)).join("\n---\n");
  const { code, stderr } = await bench.run(["apply", "-f", "-"], { input });
  assert.equal(code, 0, stderr);
}

async function set(device: string, property: string, value: number, wait = "20s"): Promise<string> {
  const { state } = await cloud.client.twins.setDesired({
    params: { tenant: "default", device, property },
    ...{ body: { value }, query: { wait }, idempotencyKey: crypto.randomUUID() },
  });
  return state;
}

/**
 * Whatever was said to the gateway before has been done: what goes down one line goes in order, and so does what goes to
 * one bus; and the press has been read some more.
 */
async function settled(): Promise<void> {
  assert.equal(await set("marker", "mark", ++marks), "confirmed");
  const before = reads;
  await eventually("more reads", () => reads >= before + 3);
}

function toPress(): { readonly start: number; readonly words: number[] }[] {
  return writes.filter(({ unit }) => unit === press).map(({ start, words }) => ({ start, words }));
}

const edits: readonly (readonly [string, Partial<Shape>])[] = [
  ["its range", { maximum: 500 }],
  ["its range, so that what was set lies outside", { maximum: 50 }],
  ["its collect cycle", { every: "150ms" }],
  ["its unit", { unit: "K" }],
  ["another property beside it", { extra: true }],
];
for (const [what, change] of edits) {
  test(`an edit of ${what} writes nothing, nor does taking it back`, async () => {
    await apply(documents(change));
    await settled();
    await apply(documents());
    await settled();
    assert.deepEqual(toPress(), []);
  });
}

test("applying the same file again writes nothing, and reading never does", async () => {
  await apply(documents());
  await settled();
  const before = reads;
  await eventually("twenty more reads", () => reads >= before + 20);
  assert.deepEqual(toPress(), []);
});

test("a desired value of one property writes that property alone, once", async () => {
  assert.equal(await set("press", "p2", 777), "confirmed");
  await settled();
  assert.deepEqual(toPress(), [{ start: 2, words: [777] }]);
});

test("the values of a device that wait go in as few questions as their places allow", async () => {
  await gateway.process.stop();
  for (const [i, name] of names.entries()) await set("press", name, 200 + i, "0s");
  await set("press", far.name, 70_000, "0s");
  gateway = await bench.startAgent("gw-01");
  await eventually("all confirmed", async () => {
    const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "press" } });
    return properties.every(({ desired }) => desired?.state === "confirmed");
  });
  await settled();
  assert.deepEqual(toPress(), [
    { start: 0, words: [200, 201, 202, 203, 204, 205] },
    { start: far.offset, words: [1, 4464] },
  ]);
});

test("a gateway that starts again, in order or killed, writes nothing that was confirmed", async () => {
  await gateway.process.stop();
  gateway = await bench.startAgent("gw-01");
  await settled();
  await gateway.process.kill();
  gateway = await bench.startAgent("gw-01");
  await settled();
  assert.deepEqual(toPress(), []);
});

test("a mapper that is killed and started again writes nothing that was confirmed", async () => {
  const mapper = mapperOf(gateway.process.pid!);
  process.kill(mapper, "SIGKILL");
  await eventually("another mapper", () => mapperOf(gateway.process.pid!) !== mapper);
  await settled();
  assert.deepEqual(toPress(), []);
});

test("a line that goes and comes back writes nothing that was confirmed", async () => {
  server.dropConnections();
  await settled();
  assert.deepEqual(toPress(), []);
});

/** @throws Error while there is none */
function mapperOf(agent: number): number {
  const children = readFileSync(join("/proc", `${agent}`, "task", `${agent}`, "children"), "utf8")
    .trim()
    .split(" ");
  const found = children.find((pid) => readFileSync(join("/proc", pid, "cmdline"), "utf8").includes("mapper-host"));
  if (found === undefined) throw new Error(`No mapper among ${readdirSync(`/proc/${agent}/task`).length} threads`);
  return Number(found);
}
