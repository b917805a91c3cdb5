import assert from "node:assert/strict";
import { test } from "node:test";
import { openContext, type Point, type Value, type ValueType } from "@penstock/mapper-sdk";
import { DeviceConnection } from "../src/connection.ts";
import { parseAnswer, readValue, setLine } from "../src/lines.ts";
import { PlayedDevice } from "./device.ts";

type Place = Point<{ unit: number }, { register: number }>;
const point = (register: number, type: ValueType = "float64"): Place => ({
  ...{ device: "d", property: "p", type, address: { unit: 1 }, visitor: { register } },
  ...{ custom: {}, deviceCustom: {} },
});
const options = { signal: new AbortController().signal };

test("values of the played device are read and written", async () => {
  const device = await new PlayedDevice().listen(0);
  const connection = await DeviceConnection.open({ host: "127.0.0.1", port: device.port }, openContext());
  const points = [point(1, "uint64"), point(2), point(9)];
  assert.deepEqual(await connection.read(points, options), [
    { value: 0n },
    { value: 21.5 },
    { value: null, reason: "mapper/bad-address" },
  ]);
  await connection.write(point(2), 40, options);
  assert.deepEqual(await connection.read([point(2)], options), [{ value: 40 }]);
  await assert.rejects(connection.write(point(3), 1, options), { code: "mapper/access-denied" });
  await connection.close();
  await device.close();
});

test("a line becomes an answer, and an answer a value of the property's type", () => {
  const value = (line: string, type: ValueType) => readValue(parseAnswer(line)!, type);
  assert.deepEqual(value("1 = 1", "bool"), { value: true });
  assert.deepEqual(value("1 = 1.5", "int32"), { value: null, reason: "mapper/bad-answer" });
  assert.deepEqual(value("1 ! fire", "int32"), { value: null, reason: "mapper/device-failure" });
  for (const line of ["", "1 =", "x = 1", "1 = 2 = 3", "1 ? 2"]) assert.equal(parseAnswer(line), null);
});

test("what no register can hold is refused", () => {
  const line = (value: Value) => setLine({ unit: 1, register: 2, type: "float64", value });
  assert.equal(line(-0.5), "SET 1 2 -0.5");
  for (const value of [1e6 + 1, Number.NaN, null, "many"]) {
    assert.throws(() => line(value), { code: "mapper/value-out-of-range" });
  }
});
