import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { systemClock } from "@penstock/runtime";
import fc from "fast-check";
import { ClientInput } from "./client-input.ts";
import { InputPace } from "./input-pace.ts";

async function pair(t: TestContext): Promise<{ socket: Socket; peer: Socket }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const peer = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [Socket];
  t.after(() => {
    peer.destroy();
    socket.destroy();
    server.close();
  });
  return { socket, peer };
}

/** As the broker library reads: when it is told to, and again at once while there is something. */
function chunksOf(socket: Socket, bytes: number): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  let got = 0;
  return new Promise((resolve) => {
    socket.on("readable", () => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
        chunks.push(chunk);
        got += chunk.length;
      }
      if (got >= bytes) resolve(chunks);
    });
  });
}

function packet(type: number, length: number): Buffer {
  const head = [type << 4];
  let rest = length;
  do {
    head.push((rest % 128) | (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, 0x30)]);
}

test("every byte is read once and in order, a little at a time, and every packet counts wherever it is cut", async (t) => {
  const types = fc.constantFrom(3, 4, 8, 12);
  const sizes = fc.oneof(fc.constant(0), fc.nat(300), fc.nat(20_000));
  const [packets = []] = fc.sample(fc.array(fc.tuple(types, sizes), { minLength: 300, maxLength: 300 }), {
    numRuns: 1,
    seed: 7,
  });
  const sent = Buffer.concat(packets.map(([type, size]) => packet(type, size)));
  const { socket, peer } = await pair(t);
  let counted = 0;
  const client = () => (count: number) => {
    counted += count;
    return 0;
  };
  const pace = { client } as unknown as InputPace;
  new ClientInput(socket, { pace, clock: systemClock(), onWait: () => {} });
  const reading = chunksOf(socket, sent.length);
  peer.write(sent);
  const chunks = await reading;
  assert.ok(Buffer.concat(chunks).equals(sent));
  assert.ok(chunks.every(({ length }) => length <= 4096));
  const wanted = packets.reduce((sum, [type]) => sum + (type === 4 ? 1 / 16 : 1), sent.length / 4096);
  assert.ok(Math.abs(counted - wanted) < 1e-6, `${counted} ${wanted}`);
});

test("read(0), by which the stream fills itself, takes nothing", async (t) => {
  const { socket, peer } = await pair(t);
  const pace = new InputPace({ packetsPerSecond: 10, packetsPerSecondInAll: 10 });
  new ClientInput(socket, { pace, clock: systemClock(), onWait: () => {} });
  peer.write(packet(8, 20));
  await once(socket, "readable");
  assert.equal(socket.read(0), null);
  assert.equal(socket.read()?.length, 22);
});

test("a client that is too fast is not read from until its time has come, and then goes on", async (t) => {
  const { socket, peer } = await pair(t);
  const due: (() => void)[] = [];
  const clock = {
    ...systemClock(),
    monotonic: () => 0,
    after: (_: number, run: () => void) => {
      due.push(run);
      return () => {};
    },
  };
  let waits = 0;
  const pace = new InputPace({ packetsPerSecond: 10, packetsPerSecondInAll: 10 });
  new ClientInput(socket, { pace, clock, onWait: () => waits++ });
  const pings = Buffer.concat(Array.from({ length: 4096 }, () => packet(12, 0)));
  const reading = chunksOf(socket, pings.length);
  peer.write(pings);
  let turns = 0;
  const isDone = reading.then(() => true);
  while (!(await Promise.race([isDone, new Promise<false>((resolve) => setImmediate(() => resolve(false)))]))) {
    if (due.length > 0) {
      assert.equal(socket.read(), null);
      due.shift()!();
      turns++;
    }
  }
  assert.ok(turns >= 1 && waits >= 2, `${turns} ${waits}`);
});

test("InputPace: one client's flood costs a quiet one nothing, and all together have a bound", () => {
  const pace = new InputPace({ packetsPerSecond: 1000, packetsPerSecondInAll: 2000 });
  const [flooders, quiet] = [Array.from({ length: 8 }, () => pace.client()), pace.client()];
  const waits = flooders.map((take) => take(2000, 0));
  assert.equal(waits[0], 1000);
  assert.ok(waits.at(-1)! > 6000);
  assert.equal(quiet(1, 0), 0);
});
