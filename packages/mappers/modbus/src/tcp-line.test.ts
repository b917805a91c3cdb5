import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { dial, ManualClock } from "@penstock/mapper-sdk";
import { codeOf } from "@penstock/model";
import { plant } from "../test/plant.ts";
import { TcpLine } from "./tcp-line.ts";

const signal = new AbortController().signal;
const log = { debug() {}, info() {}, warn() {}, error() {} };
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

async function stage() {
  const clock = new ManualClock();
  const server = plant({ "1": { holding: { "0": [11, 12, 13] } }, "2": { isSilent: true } });
  const { host, port } = await server.listen();
  const socket = await dial({ host, port, timeoutMs: 1000, clock, signal });
  const line = new TcpLine(socket, { host, port, clock, log }, () => {});
  const ask = (unit: number, address: number, code = 3) =>
    line
      .ask({ unit, pdu: Uint8Array.of(code, 0, address, 0, 1), timeoutMs: 1000, signal })
      .then(({ pdu }) => Buffer.from(pdu).toString("hex"), codeOf);
  const close = async () => {
    line.close();
    await server.close();
  };
  return { clock, server, line, ask, close };
}

test("a gateway without serial lines does not load the code for them", async () => {
  await import("./index.ts");
  const { close } = await stage();
  const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes("serialport"));
  assert.deepEqual(loaded, []);
  await close();
});

test("pauseMs passes between an answer and the next request", async () => {
  const { clock, server, line, ask, close } = await stage();
  line.conduct = { inFlight: 1, pauseMs: 50, retries: 0 };
  const all = [ask(1, 0), ask(1, 1)];
  assert.equal(await all[0], "0302000b");
  clock.move(49);
  await turns(5);
  assert.equal(server.requests.length, 1);
  clock.move(1);
  assert.equal(await all[1], "0302000c");
  await close();
});

test("retries ask again behind what waits, and a unit silent to the last is asked once", async () => {
  const { clock, server, line, ask, close } = await stage();
  line.conduct = { inFlight: 1, pauseMs: 0, retries: 1 };
  const dead = ask(2, 0);
  const alive = ask(1, 0);
  await server.asked(1);
  clock.move(1000);
  assert.equal(await alive, "0302000b");
  await server.asked(3);
  clock.move(1000);
  assert.equal(await dead, "mapper/timeout");
  assert.deepEqual(
    server.requests.map((request) => request[6]),
    [2, 1, 2],
  );
  await ask(1, 0);
  const again = ask(2, 0);
  await server.asked(5);
  clock.move(1000);
  assert.equal(await again, "mapper/timeout");
  assert.equal(server.requests.length, 5);
  await close();
});

test("a write goes before reads that wait", async () => {
  const { server, ask, close } = await stage();
  await Promise.all([ask(1, 0), ask(1, 1), ask(1, 2), ask(1, 0, 6)]);
  assert.deepEqual(
    server.requests.map((request) => request[7]),
    [3, 6, 3, 3],
  );
  await close();
});

test("an answer that was begun and not ended by its time-out ends the connection", async () => {
  const { clock, server, ask, close } = await stage();
  const answer = server.behaviour;
  server.behaviour = (request, socket) => {
    socket.write(Uint8Array.of(request[0]!, request[1]!, 0, 0, 0, 5, 1, 3, 2));
    server.behaviour = answer;
  };
  const first = ask(1, 0);
  await server.asked(1);
  await turns(5);
  clock.move(1000);
  assert.equal(await first, "mapper/timeout");
  assert.equal(await ask(1, 1), "mapper/bad-answer");
  await close();
});
