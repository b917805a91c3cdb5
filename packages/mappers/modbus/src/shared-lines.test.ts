import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, openContext, withDefaults } from "@penstock/mapper-sdk";
import { codeOf, defaultLine, type LineSettings } from "@penstock/model";
import { plant } from "../test/plant.ts";
import { modbus } from "./index.ts";
import type { ModbusPoint } from "./point.ts";

const signal = new AbortController().signal;
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

function stage() {
  const clock = new ManualClock();
  const lost: string[] = [];
  const context = openContext({ clock, lost: (error) => lost.push(error.code) });
  const open = (given: Record<string, unknown>, line: Partial<LineSettings> = {}) =>
    modbus.open(withDefaults(modbus.connection, given), { ...context, line: { ...defaultLine, ...line } });
  return { clock, lost, context, open };
}
const holding = (unitId: number, offset: number): ModbusPoint => ({
  device: `unit-${unitId}`,
  property: `p${offset}`,
  type: "uint16",
  address: { unitId },
  visitor: withDefaults(modbus.visitor, { table: "holding", offset }),
  custom: {},
  deviceCustom: {},
});

test("two Connections to one address share one TCP connection and one queue", async () => {
  const server = plant({ "1": { holding: { "0": [11] } }, "2": { holding: { "0": [22] } } });
  const address = await server.listen();
  const { open } = stage();
  const [a, b] = await Promise.all([open(address), open(address, { inFlight: 4 })]);
  // The server answers nothing until the test says so: what it has been asked by then is what is in flight.
  const answer = server.behaviour;
  const held: (() => void)[] = [];
  server.behaviour = (request, socket) => held.push(() => answer(request, socket));
  const reads = Promise.all([a.read([holding(1, 0)], { signal }), b.read([holding(2, 0)], { signal })]);
  await server.asked(1);
  await turns(5);
  assert.equal(server.connections, 1);
  assert.equal(held.length, 1, "one in flight, the smaller of both settings");
  held.shift()!();
  await server.asked(2);
  held.shift()!();
  assert.deepEqual(
    (await reads).map(([result]) => result?.value),
    [11, 22],
  );
  await a.close();
  server.behaviour = answer;
  assert.equal((await b.read([holding(2, 0)], { signal }))[0]?.value, 22);
  assert.equal(server.connections, 1, "the other still holds it");
  await b.close();
  await turns(5);
  assert.equal(server.connections, 0);
  await server.close();
});

test("inFlight asks so many questions at once, and answers may come in any order", async () => {
  const server = plant({ "1": { holding: { "0": [1], "1000": [2], "2000": [3], "3000": [4] } } });
  const address = await server.listen();
  const { open } = stage();
  const connection = await open(address, { inFlight: 3 });
  const answer = server.behaviour;
  const held: (() => void)[] = [];
  server.behaviour = (request, socket) => held.push(() => answer(request, socket));
  const points = [0, 1000, 2000, 3000].map((offset) => holding(1, offset));
  const read = connection.read(points, { signal });
  await server.asked(3);
  await turns(5);
  assert.equal(held.length, 3);
  for (const release of held.splice(0).reverse()) release();
  await server.asked(4);
  held.shift()!();
  assert.deepEqual(
    (await read).map(({ value }) => value),
    [1, 2, 3, 4],
  );
  await connection.close();
  await server.close();
});

test("a line that is silent for three time-outs counts as lost, and the next open makes a new one", async () => {
  const server = plant({ "1": { isSilent: true } });
  const address = await server.listen();
  const { open, clock, lost } = stage();
  const connection = await open(address);
  for (let i = 1; i <= 3; i++) {
    const read = connection.read([holding(1, 0)], { signal });
    await server.asked(i);
    clock.move(1000);
    assert.equal((await read)[0]?.reason, "mapper/timeout");
  }
  assert.deepEqual(lost, ["mapper/connection-lost"]);
  await assert.rejects(connection.read([holding(1, 0)], { signal }), { code: "mapper/connection-lost" });
  await connection.close();
  const again = await open(address);
  await turns(5);
  assert.equal(server.connections, 1);
  await again.close();
  await server.close();
});

test("a write that was called off while it waited is never sent", async () => {
  const server = plant({ "1": { isSilent: true } });
  const address = await server.listen();
  const { open, clock } = stage();
  const connection = await open(address);
  const read = connection.read([holding(1, 0)], { signal });
  await server.asked(1);
  const abort = new AbortController();
  const write = connection.write(holding(1, 0), 5, { signal: abort.signal });
  abort.abort();
  assert.equal(await write.catch(codeOf), "aborted");
  clock.move(1000);
  await read;
  await turns(5);
  assert.equal(server.requests.length, 1);
  await connection.close();
  await server.close();
});

test("open that is called off leaves no socket", async () => {
  const server = plant({});
  const address = await server.listen();
  const { context } = stage();
  const abort = new AbortController();
  const opening = modbus.open(withDefaults(modbus.connection, address), { ...context, signal: abort.signal });
  abort.abort();
  assert.equal(await opening.catch(codeOf), "aborted");
  await turns(10);
  assert.equal(server.connections, 0);
  await server.close();
});
