import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { ListenAtBroker, TakeNews } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import { metricsRegistry } from "@penstock/runtime";
import { freePort, needs, SimClock, SimRandom, settle, simDisk } from "@penstock/testkit";
import mqtt from "mqtt";
import { startProgram, testFolder } from "../sinks/delivery/fake-server.ts";
import { jsonRows } from "./json-rows.ts";
import { RowGate } from "./row-gate.ts";
import { testSources } from "./source-fixture.ts";

test("jsonRows() takes objects and lists of them, and nothing that lies too deep", () => {
  assert.deepEqual(jsonRows('{"a":1}'), [{ a: 1 }]);
  assert.deepEqual(jsonRows('[{"a":"]]"},{"b":[{}]}]'), [{ a: "]]" }, { b: [{}] }]);
  for (const bad of ["", "1", "null", "[1]", "[[{}]]", '{"a":', `${'{"a":'.repeat(65)}1${"}".repeat(65)}`])
    assert.equal(jsonRows(bad), null, bad.slice(0, 20));
  const deep = jsonRows(`${'{"a":'.repeat(64)}1${"}".repeat(64)}`);
  assert.notEqual(deep, null);
});

test("a flood reaches the rules for half of the time; what is beyond the bound is dropped and counted", async () => {
  const clock = new SimClock();
  const metrics = metricsRegistry();
  const taken: ObjectValue[] = [];
  let spent = 0;
  const slow = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() + spent,
    after: (ms: number, run: () => void) => clock.after(ms, run),
  };
  const take = (row: ObjectValue) => {
    taken.push(row);
    spent += 100;
  };
  const gate = new RowGate({ clock: slow, metrics, name: "s", take });
  let done = false;
  const rows = Array.from({ length: 8_000 }, (_, n) => ({ n }));
  void gate.give(rows, {}).then(() => {
    done = true;
  });
  await settle();
  assert.equal(taken.length, 50, "5 ms of work");
  assert.equal(taken[0]!.n, 3_000, "the oldest were dropped");
  await clock.advanceAsync(4);
  assert.equal(taken.length, 50);
  await clock.advanceAsync(1);
  assert.equal(taken.length, 100);
  await clock.advanceAsync(600);
  assert.deepEqual(
    [taken.length, done, metrics.totals().penstock_rules_source_dropped_rows_total],
    [5_000, true, 3_000],
  );
  const before = taken.length;
  await clock.advanceAsync(1000);
  await gate.give([{ n: 1 }], {});
  assert.equal(taken.length, before + 1, "a row alone waits for nothing");
});

test("an HTTP server is asked again and again; what is no rows is counted", async () => {
  const answers = ['{"t":1}', '[{"t":2},{"t":3}]', "not JSON", '{"t":4}'];
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization} ${request.headers["x-a"]}`);
    response.writeHead(asked.length === 1 ? 500 : 200).end(answers[asked.length - 2] ?? "{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v?q=1`;
  const { open, take, rows, counted, until } = testSources();
  const source = open({ http: { url, every: "100ms", headers: { "x-a": "b" }, token: "t" } }, take)!;
  await until(4);
  await source.close();
  server.closeAllConnections();
  server.close();
  assert.deepEqual(rows.slice(0, 4), [{ t: 1 }, { t: 2 }, { t: 3 }, { t: 4 }]);
  assert.equal(asked[0], "GET /v?q=1 Bearer t b");
  assert.deepEqual([counted("bad"), counted("failures")], [1, 1]);
});

const inFolder = "/data/rules/files/in";
async function append(disk: ReturnType<typeof simDisk>, name: string, text: string) {
  const file = await disk.files.openAppend(`${inFolder}/${name}`);
  await file.append(new TextEncoder().encode(text));
  await file.sync();
  await file.close();
}

test("lines that are appended to a file are rows, once, also over a restart; a new file is read from its start", async () => {
  const disk = simDisk({ random: new SimRandom(1) });
  const clock = new SimClock();
  const first = testSources({ clock, files: disk.files });
  const source = first.open({ file: { name: "a.jsonl" } }, first.take)!;
  await append(disk, "a.jsonl", '{"n":1}\n{"n":2}\n{"n"');
  await disk.files.syncFolder(inFolder);
  await clock.advanceAsync(3_000);
  await append(disk, "a.jsonl", ":3}\nnothing\n\n");
  await clock.advanceAsync(3_000);
  assert.deepEqual(first.rows, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  assert.deepEqual([first.counted("bad"), first.metas[0]], [1, { file: "a.jsonl" }]);
  await source.close();
  disk.crash();
  const second = testSources({ clock, files: disk.files });
  const again = second.open({ file: { name: "a.jsonl" } }, second.take)!;
  await append(disk, "a.jsonl", '{"n":4}\n');
  await clock.advanceAsync(3_000);
  assert.deepEqual(second.rows, [{ n: 4 }]);
  await disk.files.remove(`${inFolder}/a.jsonl`);
  await append(disk, "a.jsonl", '{"m":"a new file that begins otherwise and is longer than the first one was"}\n');
  await clock.advanceAsync(3_000);
  assert.equal(second.rows.length, 2);
  await again.close();
  assert.throws(() => second.open({ file: { name: "in/../../keys" } }, second.take), /path separators/);
});

test("CSV cells have the types of their columns, or what they look like", async () => {
  const disk = simDisk({ random: new SimRandom(1) });
  const clock = new SimClock();
  const { open, take, rows, counted } = testSources({ clock, files: disk.files });
  await append(disk, "a.csv", 'id,v,ok,"a ""b"""\r\n007,1.5,true,"x\ny,z"\n008,,false,-\ntoo,few\n');
  const source = open({ file: { name: "a.csv", format: "csv" }, columns: "id string, v float" }, take)!;
  const plain = open({ file: { name: "a.csv", format: "csv" } }, () => {})!;
  await clock.advanceAsync(3_000);
  assert.deepEqual(
    rows,
    [
      { id: "007", v: 1.5, ok: "true", 'a "b"': "x\ny,z" },
      { id: "008", v: null, ok: "false", 'a "b"': "-" },
    ].map((row) => ({ ...row, ok: row.ok === "true" })),
  );
  assert.ok(counted("bad") >= 1);
  await source.close();
  await plain.close();
});

test("messages at the gateway's broker are rows in their order, and taken when the rules have them", async () => {
  let tell: TakeNews = async () => {};
  let isClosed = false;
  const listen: ListenAtBroker = (filter, take) => {
    assert.equal(filter, "plant/+");
    tell = take;
    return {
      async close() {
        isClosed = true;
      },
    };
  };
  const { open, rows, metas, counted } = testSources({ listen });
  const taken: (() => void)[] = [];
  const source = open({ mqtt: { topic: "plant/+" } }, (content, meta) => {
    rows.push(content);
    metas.push(meta);
    return new Promise((resolve) => taken.push(resolve));
  })!;
  const news = (topic: string, text: string) => ({ topic, payload: new TextEncoder().encode(text) });
  let isTaken = false;
  void tell([news("plant/a", '[{"n":1},{"n":2}]'), news("plant/b", "no rows"), news("plant/c", '{"n":3}')]).then(() => {
    isTaken = true;
  });
  await settle();
  assert.deepEqual(rows, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  assert.deepEqual([metas[2], counted("bad"), isTaken], [{ topic: "plant/c" }, 1, false]);
  for (const done of taken) done();
  await settle();
  assert.equal(isTaken, true);
  await source.close();
  assert.equal(isClosed, true);
  assert.throws(
    () => open({ mqtt: { topic: "plant/#/x" } }, () => {}),
    /Cannot listen at.*must have # as the whole last/,
  );
});

test(
  "messages of a broker elsewhere are rows, also those of while the gateway was away",
  needs("mosquitto"),
  async () => {
    const folder = testFolder();
    const port = await freePort();
    writeFileSync(join(folder, "conf"), `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
    const command = existsSync("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";
    const server = await startProgram({ command, args: ["-c", "conf", "-v"], folder, port, ready: /running/ });
    const url = `mqtt://127.0.0.1:${port}`;
    const sender = await mqtt.connectAsync(url);
    const { open, take, rows, metas, counted, until } = testSources();
    let source = open({ mqtt: { topic: "far/#", broker: { url } } }, take)!;
    try {
      // Retained, so that it does not matter who is first.
      await sender.publishAsync("far/b", '{"n":3}', { qos: 1, retain: true });
      await until(1);
      assert.deepEqual(metas, [{ topic: "far/b" }]);
      await source.close();
      await sender.publishAsync("far/c", "no rows", { qos: 1 });
      await sender.publishAsync("far/c", '{"n":4}', { qos: 1 });
      await sender.publishAsync("far/c", '{"n":5}', { qos: 1 });
      rows.length = 0;
      source = open({ mqtt: { topic: "far/#", broker: { url } } }, take)!;
      await until(2);
      assert.deepEqual(rows.slice(0, 2), [{ n: 4 }, { n: 5 }]);
      assert.equal(counted("bad"), 1);
    } finally {
      await Promise.all([source.close(), sender.endAsync()]);
      await server.close();
    }
  },
);
