/**
 * One folder a case in testcases/: settings.json (points by device, perhaps a write), plant.json (what the device
 * holds), and what comes of it: expected.jsonl, one reading a line, or error.txt, the code. A bug adds a folder.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkSettings, ManualClock, openContext, type Point, withDefaults } from "@penstock/mapper-sdk";
import { AppError, type Value, type ValueType } from "@penstock/model";
import { type PlantMemory, plant } from "../test/plant.ts";
import { modbus } from "./index.ts";
import type { Address, Visitor } from "./point.ts";

interface CaseSettings {
  readonly connection?: Readonly<Record<string, unknown>>;
  readonly devices: readonly {
    readonly address: Readonly<Record<string, unknown>>;
    readonly points: Readonly<Record<string, { type: ValueType; visitor: Readonly<Record<string, unknown>> }>>;
  }[];
  /** written to the first device before it is read */
  readonly write?: { readonly point: string; readonly value: number | boolean | string };
  /** requests of a read once everything has been learned */
  readonly requests?: number;
}

const folder = join(import.meta.dirname, "../testcases");
const json = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

for (const name of readdirSync(folder)) {
  test(`case ${name}`, async () => {
    const settings = json(join(folder, name, "settings.json")) as CaseSettings;
    const server = plant(json(join(folder, name, "plant.json")) as PlantMemory);
    const errorFile = join(folder, name, "error.txt");
    const expected = readFileSync(existsSync(errorFile) ? errorFile : join(folder, name, "expected.jsonl"), "utf8");
    const address = await server.listen();
    try {
      assert.equal(await outcome(settings, address, server), expected);
    } finally {
      await server.close();
    }
  });
}

async function outcome(
  settings: CaseSettings,
  server: { host: string; port: number },
  counted: { readonly requests: readonly unknown[] },
): Promise<string> {
  const given = { ...server, ...settings.connection };
  assert.deepEqual(checkSettings(modbus, { connection: given }), []);
  const points: Point<Address, Visitor>[] = settings.devices.flatMap(({ address, points }) =>
    Object.entries(points).map(([property, { type, visitor }]) => {
      assert.deepEqual(checkSettings(modbus, { address, visitor }), []);
      const filled = { address: withDefaults(modbus.address, address), visitor: withDefaults(modbus.visitor, visitor) };
      return { device: "d", property, type, ...filled, custom: {}, deviceCustom: {} };
    }),
  );
  const clock = new ManualClock();
  const signal = new AbortController().signal;
  const connection = await modbus.open(withDefaults(modbus.connection, given), openContext({ clock }));
  try {
    if (settings.write !== undefined) {
      const { point, value } = settings.write;
      await connection.write(points.find(({ property }) => property === point)!, value, { signal });
    }
    const read = async () => {
      const before = counted.requests.length;
      const results = await passing(clock, connection.read(points, { signal }));
      const lines = results.map(({ value, reason }, i) =>
        JSON.stringify({
          point: points[i]!.property,
          value: shown(value),
          ...(reason === undefined ? {} : { reason }),
        }),
      );
      return { text: lines.map((line) => `${line}\n`).join(""), requests: counted.requests.length - before };
    };
    // What is learned from refusals changes the requests of the second and third read, never the readings.
    const first = await read();
    assert.equal((await read()).text, first.text);
    const third = await read();
    assert.equal(third.text, first.text);
    if (settings.requests !== undefined) assert.equal(third.requests, settings.requests, "requests");
    return first.text;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return `${error.code}\n`;
  } finally {
    await connection.close();
  }
}

/** Lets time pass while work waits, answers first. */
async function passing<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    clock.move(100);
  }
  return done;
}

function shown(value: Value): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
