import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, type OpenContext, openContext, withDefaults } from "@penstock/mapper-sdk";
import { type AppError, defaultLine } from "@penstock/model";
import { needs, openPtyPair } from "@penstock/testkit";
import { modbus } from "../index.ts";
import { addressFields, type ModbusPoint, visitorFields } from "../point.ts";

const signal = new AbortController().signal;
const clock = {
  monotonic: () => Math.floor(performance.now() * 1000),
  after: (delayMs: number, run: () => void) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

function context(lost: (error: AppError) => void = () => {}): OpenContext {
  return openContext({ clock, line: { ...defaultLine, timeoutMs: 5000 }, lost });
}

for (const transport of ["rtu", "ascii"]) {
  test(
    `client and server of the mapper find each other on a serial line with ${transport}`,
    needs("socat"),
    async () => {
      const { a, b, close } = await openPtyPair();
      const open = (path: string, more: object = {}) =>
        modbus.open(
          withDefaults(modbus.connection, { transport, path, baud: 115_200, parity: "none", ...more }),
          context(),
        );
      const server = await open(a, { role: "server", units: [9] });
      const client = await open(b);
      try {
        const visitor = { table: "holding", offset: 3, wordOrder: "DCBA" };
        const point: ModbusPoint = {
          ...{ device: "d", property: "p", type: "float64", custom: {}, deviceCustom: {} },
          address: withDefaults(addressFields, { unitId: 9 }),
          visitor: withDefaults(visitorFields, visitor),
        };
        await client.write(point, Math.PI, { signal });
        for (const end of [client, server]) {
          assert.equal((await end.read([point], { signal }))[0]?.value, Math.PI);
        }
        await server.write(point, -1.5, { signal });
        assert.equal((await client.read([point], { signal }))[0]?.value, -1.5);
      } finally {
        await client.close();
        await server.close();
        await close();
      }
    },
  );
}

test("a serial adapter that is pulled out is told, and close still ends", needs("socat"), async (t) => {
  const { a, b, close } = await openPtyPair();
  t.after(close);
  const told = Promise.withResolvers<AppError>();
  const settings = (path: string) => withDefaults(modbus.connection, { transport: "rtu", path, parity: "none" });
  const server = await modbus.open({ ...settings(a), role: "server", units: [1] }, context(told.resolve));
  t.after(() => server.close());
  const client = await modbus.open(settings(b), context());
  t.after(() => client.close());
  const visitor = withDefaults(visitorFields, { table: "coil", offset: 0 });
  const address = withDefaults(addressFields, {});
  const point: ModbusPoint = {
    device: "d",
    property: "p",
    type: "bool",
    custom: {},
    deviceCustom: {},
    address,
    visitor,
  };
  // Only a port that is being read notices its end.
  await client.write(point, true, { signal });
  await close();
  assert.equal((await told.promise).code, "mapper/connection-lost");
  await server.close();
});

test("a serial port that is not there is said at open", async () => {
  const settings = { role: "server", transport: "rtu", path: "/nowhere/ttyUSB9", baud: 19_200, parity: "none" };
  const opening = modbus.open(withDefaults(modbus.connection, settings), { ...context(), clock: new ManualClock() });
  await assert.rejects(opening, { code: "mapper/connect-failed" });
});
