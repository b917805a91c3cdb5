import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, test } from "node:test";
import { ManualClock } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import { BodyWriter } from "./body-writer.ts";
import { Bus, busItself } from "./bus.ts";
import { parseBusAddress } from "./bus-address.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A bus of few words: agrees on who we are, then gives each message to `answer`, whose bytes are its reply. */
async function bus(answer: (serial: number, socket: Socket) => void, greeting = "OK 1234\r\n") {
  const server = createServer((socket) => {
    let isPast = false;
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      if (!isPast && !bytes.includes("BEGIN")) return void socket.write(greeting);
      isPast = true;
      const at = bytes.indexOf("l\x01\x00\x01");
      if (at >= 0) answer(bytes.readUInt32LE(at + 8), socket);
    });
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  const clock = new ManualClock();
  const ended: string[] = [];
  const connecting = Bus.connect({
    ...{ address: { host: "127.0.0.1", port }, clock, signal: new AbortController().signal, timeoutMs: 1000 },
    onSignal: () => {},
    ended: (error) => ended.push(error.code),
  });
  return { connecting, clock, ended };
}

function reply(serial: number, value: string): Uint8Array {
  const body = new BodyWriter();
  body.all("s", [value]);
  const message = new BodyWriter();
  message.all("yyyyuua(yv)", [
    ...["l".charCodeAt(0), 2, 0, 1, body.bytes.length, 99],
    [
      [5, { signature: "u", value: serial }],
      [8, { signature: "g", value: "s" }],
    ],
  ]);
  message.align(8);
  return Buffer.concat([message.bytes, body.bytes]);
}
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
const ask = (one: Bus, timeoutMs = 1000) => one.call({ ...busItself, member: "X" }, { timeoutMs });

test("Bus answers go to the question with their number; a late one is nobody's", async () => {
  const late: (() => void)[] = [];
  let asked = 0;
  const { connecting, clock } = await bus((serial, socket) => {
    asked++;
    const answer = () => socket.write(reply(serial, `to ${serial}`));
    if (asked === 2) late.push(answer);
    else {
      for (const one of late.splice(0)) one();
      answer();
    }
  });
  const one = await connecting;
  const first = codeOf(ask(one));
  while (asked < 2) await new Promise((resolve) => setImmediate(resolve));
  clock.move(1000);
  assert.equal(await first, "mapper/timeout");
  assert.deepEqual(await ask(one), ["to 3"]);
  await one.close();
  assert.equal(await codeOf(ask(one)), "aborted");
});

for (const [what, bytes] of [
  ["garbage", (serial: number) => Buffer.alloc(64, serial + 0x7f)],
  ["a broken message", (serial: number) => Buffer.from(reply(serial, "x")).fill(0xff, 16, 24)],
  ["half an answer, and then the end", (serial: number) => reply(serial, "x").subarray(0, -2)],
] as const) {
  test(`Bus: ${what} ends the connection, once, and no question hangs`, async () => {
    let asked = 0;
    const { connecting, ended } = await bus((serial, socket) => {
      asked++;
      if (asked === 1) socket.write(reply(serial, ":1.1"));
      else socket.end(bytes(serial));
    });
    const one = await connecting;
    assert.deepEqual(await Promise.all([codeOf(ask(one)), codeOf(ask(one))]), Array(2).fill("mapper/connection-lost"));
    assert.deepEqual(ended, ["mapper/connection-lost"]);
    await one.close();
  });
}

test("Bus.connect() tells a bus that refuses, is silent, or is none", async () => {
  const refused = await bus(() => {}, "REJECTED EXTERNAL\r\n");
  assert.equal(await codeOf(refused.connecting), "mapper/connect-failed");
  const other = await bus(() => {}, "x".repeat(10_000));
  assert.equal(await codeOf(other.connecting), "mapper/connect-failed");
  let asked = 0;
  const silent = await bus(() => asked++);
  while (asked < 1) await new Promise((resolve) => setImmediate(resolve));
  silent.clock.move(1000);
  assert.equal(await codeOf(silent.connecting), "mapper/connect-failed");
});

test("parseBusAddress() takes the transports that it speaks", () => {
  assert.deepEqual(parseBusAddress("unix:path=/run/a%20b"), { path: "/run/a b" });
  assert.deepEqual(parseBusAddress("unix:abstract=x,guid=1"), { path: "\0x" });
  assert.deepEqual(parseBusAddress("autolaunch:;tcp:host=h,port=7"), { host: "h", port: 7 });
  for (const bad of ["", "unix:", "tcp:host=h,port=0", "hello"])
    assert.throws(() => parseBusAddress(bad), { code: "mapper/bad-address" });
});
