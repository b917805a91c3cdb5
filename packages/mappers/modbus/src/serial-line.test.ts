/** The mapper on real pseudo-terminals, against a bus whose encoders are the testkit's own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, test } from "node:test";
import { openContext, type PointResult, withDefaults } from "@penstock/mapper-sdk";
import { codeOf, defaultLine, type LineSettings } from "@penstock/model";
import { systemClock } from "@penstock/runtime";
import {
  MemoryUnit,
  ModbusSerialServer,
  type ModbusSerialServerOptions,
  ModbusServer,
  needs,
  openPtyPair,
  type RequestHook,
} from "@penstock/testkit";
import { modbus } from "./index.ts";
import type { ModbusPoint } from "./point.ts";

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.toReversed()) await close();
});
const signal = new AbortController().signal;
const clock = systemClock();

/** every register says which it is: unit, then address */
const held = (unit: number, address: number) => unit * 1000 + address;
function units(): Map<number, MemoryUnit> {
  return new Map(
    [1, 2, 3].map((id) => {
      const unit = new MemoryUnit({ holding: 300 });
      for (let at = 0; at < 300; at++) unit.holding[at] = held(id, at);
      return [id, unit];
    }),
  );
}

async function open(given: Record<string, unknown>, line: Partial<LineSettings> = {}) {
  const lost: string[] = [];
  const heard: (() => void)[] = [];
  const context = openContext({
    ...{ clock, line: { ...defaultLine, ...line } },
    lost: (error) => {
      lost.push(error.code);
      for (const hear of heard) hear();
    },
  });
  const connection = await modbus.open(withDefaults(modbus.connection, given), context);
  closers.push(() => connection.close());
  const isLost = new Promise<void>((resolve) => heard.push(resolve));
  return { connection, lost, isLost };
}

async function bus(options: Partial<ModbusSerialServerOptions> = {}) {
  const pair = await openPtyPair();
  closers.push(pair.close);
  const all = units();
  const server = new ModbusSerialServer({ path: pair.a, units: all, ...options });
  closers.push(() => server.close());
  const transport = options.framing ?? "rtu";
  return { pair, server, units: all, settings: { transport, path: pair.b, baud: 115_200 } };
}

const point = (unitId: number, offset: number): ModbusPoint => ({
  ...{ device: `unit-${unitId}`, property: `p${offset}`, type: "uint16" as const, custom: {}, deviceCustom: {} },
  address: { unitId },
  visitor: withDefaults(modbus.visitor, { table: "holding", offset }),
});
const seen = ([result]: readonly PointResult[]) => result?.value ?? result?.reason;

for (const framing of ["rtu", "ascii"] as const) {
  test(`${framing}: calls that overlap all get their own values, and writes are taken`, needs("socat"), async () => {
    const { settings, units } = await bus({ framing });
    const { connection } = await open(settings);
    const asked = Array.from({ length: 40 }, (_, i) => ({ unit: 1 + (i % 3), address: (i * 37) % 300 }));
    const reads = asked.map(({ unit, address }) => connection.read([point(unit, address)], { signal }));
    const written = connection.write(point(2, 299), 4711, { signal });
    assert.deepEqual(
      (await Promise.all(reads)).map(seen),
      asked.map(({ unit, address }) => (unit === 2 && address === 299 ? 4711 : held(unit, address))),
    );
    await written;
    assert.equal(units.get(2)!.holding[299], 4711);
  });

  test(`${framing}: late, cut, lost and foreign bytes give no wrong value`, needs("socat"), async () => {
    let nth = 0;
    const treatments: ReturnType<RequestHook>[] = [
      null,
      { kind: "delay", delayMs: 60 },
      { kind: "half" },
      null,
      { kind: "drop" },
      { kind: "garbage", bytes: Uint8Array.of(1, 3, 2, 0x12, 0x34, 0xff, 0xff) },
      { kind: "delay", delayMs: 45 },
    ];
    const { settings, server } = await bus({ framing, hook: () => treatments[nth++ % treatments.length] });
    const { connection } = await open(settings, { timeoutMs: 40 });
    const outcomes = new Set<unknown>();
    for (let i = 0; i < 40; i++) {
      const [unit, address] = [1 + (i % 2), i];
      const got = seen(await connection.read([point(unit, address)], { signal }));
      if (got === held(unit, address)) outcomes.add("right");
      else outcomes.add(got);
    }
    for (const outcome of outcomes) {
      assert.ok(["right", "mapper/timeout", "mapper/bad-answer"].includes(String(outcome)), String(outcome));
    }
    assert.ok(outcomes.has("right") && outcomes.has("mapper/timeout"));
    server.hook = null;
    // What was owed is gone after a probe, so a bus that is well is read at once.
    assert.equal(seen(await connection.read([point(3, 7)], { signal })), held(3, 7));
    assert.equal(seen(await connection.read([point(1, 7)], { signal })), held(1, 7));
  });
}

test(
  "rtu: the silence before each request lasts 3.5 characters, or the pause, at the slave's end",
  needs("socat"),
  async () => {
    for (const { baud, pauseMs, leastMs } of [
      { baud: 1200, pauseMs: 0, leastMs: 32 }, // 3.5 × 11 bits ÷ 1200
      { baud: 115_200, pauseMs: 25, leastMs: 25 },
      { baud: 115_200, pauseMs: 0, leastMs: 1.75 },
    ]) {
      const at: number[] = [];
      const { settings } = await bus({
        hook: () => {
          at.push(performance.now());
          return null;
        },
      });
      const { connection } = await open({ ...settings, baud }, { pauseMs });
      await Promise.all([0, 1, 2, 3, 4].map((address) => connection.read([point(1, address)], { signal })));
      const gaps = at.slice(1).map((time, i) => time - at[i]!);
      // The slave answers as soon as it has heard, so from request to request is the silence and a little more.
      assert.ok(Math.min(...gaps) >= leastMs - 0.2, `${baud} baud, pause ${pauseMs}: ${gaps.join(" ")}`);
      await connection.close();
    }
  },
);

test("rtu: a silent unit costs the others one time-out", needs("socat"), async () => {
  const { settings, server } = await bus({ dead: new Set([3]) });
  const { connection } = await open(settings, { timeoutMs: 80, retries: 2 });
  await connection.read([point(3, 0)], { signal }); // known to be silent from here on: no retries
  const before = server.stats.requests;
  const dead = [0, 1, 2, 3].map((address) => connection.read([point(3, address * 70)], { signal }));
  const began = performance.now();
  assert.equal(seen(await connection.read([point(1, 5)], { signal })), held(1, 5));
  const tookMs = performance.now() - began;
  assert.ok(tookMs < 240, `${tookMs} ms`);
  await Promise.all(dead);
  assert.equal(server.stats.requests - before, 2, "one for the silent unit, one for the other");
});

test(
  "rtu: a terminal that vanishes is a lost connection, and the next open says why it fails",
  needs("socat"),
  async () => {
    const { settings, pair, server } = await bus();
    const { connection, lost, isLost } = await open(settings);
    assert.equal(seen(await connection.read([point(1, 1)], { signal })), 1001);
    await server.close();
    await pair.close();
    await isLost;
    assert.deepEqual(lost, ["mapper/connection-lost"]);
    assert.equal(await connection.read([point(1, 1)], { signal }).catch(codeOf), "mapper/connection-lost");
    await connection.close();
    assert.equal(await open(settings).catch(codeOf), "mapper/connect-failed");
  },
);

test(
  "rtu: Connections to one path share it, those that speak otherwise are refused, and it is given back",
  needs("socat"),
  async () => {
    const { settings, server } = await bus();
    const [a, b] = await Promise.all([open(settings), open(settings)]);
    assert.deepEqual(
      (await Promise.all([a, b].map(({ connection }) => connection.read([point(2, 9)], { signal })))).map(seen),
      [2009, 2009],
    );
    assert.equal(await open({ ...settings, baud: 9600 }).catch(codeOf), "mapper/connect-failed");
    await a.connection.close();
    await b.connection.close();
    const again = await open({ ...settings, baud: 9600 });
    assert.equal(seen(await again.connection.read([point(2, 9)], { signal })), 2009);
    assert.equal(server.stats.badFrames, 0);
  },
);

test("rtu: a broadcast reaches all units and leaves the bus usable", needs("socat"), async () => {
  const { settings, units } = await bus();
  const { connection } = await open(settings);
  await connection.write(point(0, 12), 77, { signal });
  assert.deepEqual(
    [...units.values()].map((unit) => unit.holding[12]),
    [77, 77, 77],
  );
  assert.equal(seen(await connection.read([point(3, 12)], { signal })), 77);
});

for (const framing of ["rtu", "ascii"] as const) {
  test(
    `${framing}: the echo of an adapter is no answer, and one that differs is an error`,
    needs("socat"),
    async () => {
      const { settings, units, pair } = await bus({ framing, dead: new Set([3]) });
      // The terminal itself sends back each byte as it comes, before the slave has seen it.
      execFileSync("stty", ["-F", pair.a, "echo", "-echoctl"]);
      const deaf = await open(settings, { timeoutMs: 1000 });
      // The answer to a write is its echo: without the setting a dead slave has taken the value.
      await deaf.connection.write(point(3, 5), 9, { signal });
      await deaf.connection.close();

      const { connection } = await open({ ...settings, localEcho: true }, { timeoutMs: 400 });
      assert.equal(await connection.write(point(3, 5), 9, { signal }).catch(codeOf), "mapper/timeout");
      assert.equal(units.get(3)!.holding[5], held(3, 5));
      for (let address = 0; address < 20; address++) {
        assert.equal(
          seen(await connection.read([point(1 + (address % 2), address)], { signal })),
          held(1 + (address % 2), address),
        );
      }
      await connection.write(point(2, 7), 4711, { signal });
      assert.equal(units.get(2)!.holding[7], 4711);
      await connection.write(point(0, 8), 12, { signal });
      assert.equal(seen(await connection.read([point(1, 8)], { signal })), 12);

      // As when two speak at once: one byte that differs is enough, and the line goes on when it is well again.
      const otherEcho = framing === "rtu" ? ["echoctl"] : ["opost", "onlcr"];
      execFileSync("stty", ["-F", pair.a, ...otherEcho]);
      const [spoilt] = await connection.read([point(1, 1)], { signal });
      assert.equal(spoilt?.reason, "mapper/bad-answer");
      execFileSync("stty", ["-F", pair.a, "-echoctl", "-opost"]);
      let after = seen(await connection.read([point(2, 2)], { signal }));
      // On a busy machine the terminals may hand on the rest after the line has found it silent.
      for (let again = 0; again < 5 && after === "mapper/bad-answer"; again++) {
        after = seen(await connection.read([point(2, 2)], { signal }));
      }
      assert.equal(after, held(2, 2));
    },
  );
}

test("rtu-over-tcp: frames without a header, one at a time, and late ones are nobody's", async () => {
  let nth = 0;
  const server = await ModbusServer.listen({
    ...{ framing: "rtu", units: units() },
    hook: () => (nth++ % 5 === 3 ? { kind: "delay", delayMs: 60 } : null),
  });
  closers.push(() => server.close());
  const { connection } = await open(
    { transport: "rtu-over-tcp", host: "127.0.0.1", port: server.port },
    { timeoutMs: 40, inFlight: 8 },
  );
  const got = await Promise.all(
    Array.from({ length: 30 }, async (_, i) => {
      const value = seen(await connection.read([point(1 + (i % 3), i)], { signal }));
      return value === held(1 + (i % 3), i) ? "right" : value;
    }),
  );
  assert.deepEqual([...new Set(got)].toSorted(), ["mapper/timeout", "right"]);
});
