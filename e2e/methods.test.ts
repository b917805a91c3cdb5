import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CloudProcess, type EdgeProcess, eventually, root, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

const mappers = join(root, "e2e/support/mappers");
const journal = join(bench.folder, "journal.txt");
let cloud: CloudProcess;
let edge: EdgeProcess;
before(async () => {
  writeFileSync(journal, "");
  cloud = await bench.startCloud({ args: ["--mappers", mappers] });
  edge = await bench.startEdge(cloud, "gw-01", { args: ["--mappers", mappers] });
  const property = { type: "float64", access: "readWrite", localWrites: "hold", collect: { every: "200ms" } };
  const strokes = { type: "int32", minimum: 1, maximum: 90 };
  const device = {
    ...{ apiVersion: "penstock.dev/v1", kind: "Device", metadata: { name: "press-01" } },
    spec: {
      ...{ node: "gw-01", connection: { protocol: "press", settings: { journal } } },
      properties: { pressure: property, speed: property },
      methods: {
        stamp: {
          arguments: { strokes, note: { type: "string", optional: true } },
          ...{ result: { type: "int64" }, timeout: "5s", visitor: { how: "answer" } },
        },
        jam: { timeout: "1500ms", visitor: { how: "mute" } },
        hang: { timeout: "10m", visitor: { how: "mute" } },
        open: { visitor: { how: "refuse" } },
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder of an argument
        warm: { arguments: { at: { type: "float64" } }, sets: { pressure: 4, speed: "${at}" } },
      },
    },
  };
  const applied = await bench.run(["apply", "-f", "-"], { input: JSON.stringify(device) });
  assert.equal(applied.code, 0, applied.stderr);
  await eventually("readings of the press", async () => {
    const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "press-01" } });
    return properties.every(({ reported }) => reported?.quality === "good");
  });
});

const acts = () => readFileSync(journal, "utf8").split("\n").filter(Boolean);
const call = (...args: string[]) => bench.run(["call", "press-01", ...args]);
const here = (...args: string[]) => bench.run(["edge", "call", "press-01", ...args, "--data-dir", edge.folder]);

test("a call carries its arguments to the device and its result back, from the cloud and from the gateway", async () => {
  const called = await call("stamp", "strokes=12", "note=first batch");
  assert.equal(called.code, 0, called.stderr);
  assert.match(called.stdout, /^press-01\.stamp [0-9a-f]{32} done: 12$/m);
  const local = await here("stamp", "strokes=3");
  assert.match(local.stdout, /^press-01\.stamp done: 15$/m, local.stderr);
  assert.deepEqual(acts().splice(-2), ["stamp(strokes=12,note=first batch)", "stamp(strokes=3)"]);
});

test("a call that cannot be is told with field, value and rule, by cloud and gateway alike, and reaches nothing", async () => {
  const before = acts().length;
  const tries: [string[], number, RegExp][] = [
    [["stamp"], 2, /arguments\.strokes: \(missing\): is required: int32/],
    [["stamp", "strokes=91"], 2, /arguments\.strokes: "91": must be at most 90/],
    [["stamp", "strokes=many"], 2, /arguments\.strokes: "many": must be a whole number/],
    [["stamp", "strokes=1", "speed=2"], 2, /arguments\.speed: \(given\): "stamp" has no such argument/],
    [["stamp", "strokes"], 2, /arguments: "strokes": must be name=value/],
    [["stanp"], 3, /has no method "stanp": it has hang, jam, open, stamp, warm\nCode: twin\/unknown-method/],
  ];
  for (const [args, code, words] of tries) {
    for (const asked of [await call(...args), await here(...args)]) {
      assert.equal(asked.code, code, asked.stderr);
      assert.match(asked.stderr, words);
    }
  }
  // As a program does it, which no command line has checked before.
  const params = { tenant: "default", device: "press-01", method: "stamp" };
  const wrong = cloud.client.methods.call({ params, body: { arguments: { strokes: 91 } }, idempotencyKey: "wrong" });
  await assert.rejects(wrong, (error: { code: string; fields: unknown }) => {
    assert.deepEqual(error.fields, [{ field: "arguments.strokes", value: "91", rule: "must be at most 90" }]);
    return error.code === "input/invalid";
  });
  assert.equal(acts().length, before);
});

test("a call that the device refuses ends failed with its words, and one that it never answers ends unknown", async () => {
  const refused = await call("open");
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /ended failed: .*The guard is open/);
  assert.match(refused.stderr, /Code: mapper\/value-refused/);
  const before = acts().length;
  const jammed = await call("jam");
  assert.equal(jammed.code, 6, jammed.stdout);
  assert.match(jammed.stderr, /ended unknown: "jam" was sent, and nobody can say whether the device acted/);
  assert.match(jammed.stderr, /Code: twin\/outcome-unknown/);
  assert.deepEqual(acts().slice(before), ["jam()"], "once, however long it was waited for");
});

test("a method that sets properties writes them in order, and stops where one fails or is held", async () => {
  const warm = await call("warm", "at=20");
  assert.match(warm.stdout, /done: pressure written, speed written$/m, warm.stderr);
  assert.deepEqual(acts().slice(-2), ["write pressure=4", "write speed=20"]);
  const refused = await call("warm", "at=13");
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /does not take 13 for "speed".*\(pressure written, speed failed\)/);
  const set = await bench.run([
    "edge",
    "set",
    "press-01",
    "speed",
    "5",
    "--holder",
    "panel",
    "--data-dir",
    edge.folder,
  ]);
  assert.equal(set.code, 0, set.stderr);
  const before = acts().length;
  const held = await call("warm", "at=30");
  assert.equal(held.code, 5);
  assert.match(held.stderr, /sets "speed", which panel holds\nCode: twin\/held/);
  assert.equal(acts().length, before, "what cannot be done whole is not begun");
});

test("a gateway that is killed in the middle of a call ends it unknown and never sends it again", async () => {
  const before = acts().length;
  const asked = await call("hang", "--no-wait");
  const id = /press-01\.hang ([0-9a-f]{32})/.exec(asked.stdout)![1]!;
  await eventually("the press to act", () => acts().length > before);
  await edge.process.kill();
  edge = await bench.startAgent("gw-01", { args: ["--mappers", mappers] });
  const params = { tenant: "default", device: "press-01", method: "hang", id };
  const ended = await eventually("the end of the call", async () => {
    const found = await cloud.client.methods.get({ params });
    return found.endedAt === null ? null : found;
  });
  assert.deepEqual([ended.state, ended.reason], ["unknown", "twin/outcome-unknown"]);
  assert.match(ended.message ?? "", /The gateway ended while the call was under way/);
  // A later call is carried out: whatever the gateway had left to send would have gone before it.
  // Until its mapper runs again, a call is refused at once.
  await eventually("the next call", async () => (await call("stamp", "strokes=1")).code === 0);
  assert.deepEqual(acts().slice(before), ["hang()", "stamp(strokes=1)"]);
});

test("a call to a gateway that is away expires and is not made when the gateway comes back", async () => {
  await edge.process.stop();
  const before = acts().length;
  const late = await call("stamp", "strokes=2", "--timeout", "1s");
  assert.equal(late.code, 7);
  assert.match(late.stderr, /ended expired: The gateway was not connected in its time; nothing went to it/);
  edge = await bench.startAgent("gw-01", { args: ["--mappers", mappers] });
  await eventually("the next call", async () => (await call("stamp", "strokes=4")).code === 0);
  assert.deepEqual(acts().slice(before), ["stamp(strokes=4)"]);
});
