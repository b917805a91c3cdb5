import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceSpecSchema } from "@penstock/model";
import Value from "typebox/value";
import { ModbusException } from "../modbus-server/codes.ts";
import { numberOf, rawWords, wordsOf } from "../modbus-server/registers.ts";
import { PlantClockwork } from "./clockwork.ts";
import { loadDevices, plantDevices } from "./devices.ts";
import { LoadUnit, loadFloat, loadInteger, loadShapes } from "./load-unit.ts";
import { plantModbusUnits } from "./plant-unit.ts";
import { plantUnits, registerMap } from "./register-map.ts";

function setUp() {
  let micros = 0;
  const clockwork = new PlantClockwork({ clock: { monotonic: () => micros }, seed: 1 });
  const units = plantModbusUnits(clockwork);
  const advance = (seconds: number) => {
    micros += seconds * 1e6;
  };
  return { clockwork, advance, tank: units.get(1)!, conveyor: units.get(2)!, filler: units.get(3)! };
}
function isException(exception: string) {
  return (error: unknown) => error instanceof ModbusException && error.exception === exception;
}

test("registerMap has no two entries on one register, and no name twice", () => {
  const taken = new Set<string>();
  for (const entry of registerMap) {
    for (let i = 0; i < (entry.raw === undefined ? 1 : rawWords[entry.raw]); i++) {
      const place = `${entry.device} ${entry.table} ${entry.offset + i}`;
      assert.ok(!taken.has(place), place);
      taken.add(place);
    }
    const name = `${entry.device} ${entry.property}`;
    assert.ok(!taken.has(name), name);
    taken.add(name);
  }
});

test("PlantUnit lets a written speed take hold at once and the belt follow", () => {
  const { conveyor, advance, clockwork } = setUp();
  conveyor.writeRegisters(0, wordsOf("float32", "ABCD", 42));
  assert.deepEqual([...conveyor.readRegisters("holding", 0, 2, true)], [0x4228, 0]);
  assert.equal(numberOf("float32", "CDAB", conveyor.readRegisters("holding", 2, 2, true)), 60);
  advance(20);
  assert.ok(Math.abs(Number(numberOf("float32", "CDAB", conveyor.readRegisters("holding", 2, 2, true))) - 42) < 0.01);
  conveyor.writeBits(0, [false]);
  advance(30);
  assert.ok(clockwork.line().conveyor.speed < 0.01);
});

test("PlantUnit refuses what would harm and changes nothing", () => {
  const { conveyor, tank, clockwork } = setUp();
  const before = clockwork.line();
  for (const speed of [-0.1, 100.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => conveyor.writeRegisters(0, wordsOf("float32", "ABCD", speed)), isException("illegalDataValue"));
  }
  assert.throws(
    () => conveyor.writeRegisters(0, Uint16Array.of(0x4228)),
    isException("illegalDataValue"),
    "half a float",
  );
  assert.throws(
    () => conveyor.writeRegisters(2, Uint16Array.of(0, 0)),
    isException("illegalDataAddress"),
    "actual speed",
  );
  // A good value before a bad one is not taken either.
  assert.throws(
    () => conveyor.writeRegisters(0, Uint16Array.of(0x4228, 0, 0, 0)),
    isException("illegalDataAddress"),
    "speed and what follows it",
  );
  assert.throws(() => tank.writeBits(0, [true]), isException("illegalDataAddress"));
  assert.throws(() => tank.readRegisters("input", 30, 3, true), isException("illegalDataAddress"));
  assert.equal(clockwork.line(), before);
});

test("PlantUnit takes the ends of the temperature set-point's range", () => {
  const { tank, clockwork } = setUp();
  for (const [counts, celsius] of [
    [50, 5],
    [800, 80],
    [351, 35.1],
  ] as const) {
    tank.writeRegisters(0, Uint16Array.of(counts));
    assert.ok(Math.abs(clockwork.line().tank.setpointC - celsius) < 1e-9);
    assert.equal(tank.readRegisters("holding", 0, 1, true)[0], counts);
  }
  assert.throws(() => tank.writeRegisters(0, Uint16Array.of(801)), isException("illegalDataValue"));
});

test("PlantUnit shows 64-bit counters beyond 32 bits and flags in two places alike", () => {
  const { filler, tank, advance } = setUp();
  advance(10);
  const total = numberOf("uint64", "ABCD", filler.readRegisters("input", 4, 4, true));
  const bottles = numberOf("uint32", "ABCD", filler.readRegisters("input", 0, 2, true));
  assert.ok(bottles > 20);
  assert.equal(total, 3n * 2n ** 32n + BigInt(bottles));
  const word = tank.readRegisters("input", 5, 1, true)[0]!;
  const bits = tank.readBits("discrete", 0, 5, true);
  assert.deepEqual(
    bits,
    [0, 1, 2, 3, 4].map((bit) => ((word >> bit) & 1) === 1),
  );
});

test("LoadUnit gives each answered read of `samples` a number of its own, without gaps", () => {
  const unit = new LoadUnit({ floats: 3, integers: 2 });
  const samples = () => numberOf("uint64", "ABCD", unit.readRegisters("holding", 4, 4, true));
  assert.equal(samples(), 1n);
  unit.readRegisters("holding", 8, 4, true);
  assert.throws(() => unit.readRegisters("holding", 10, 7, true), isException("illegalDataAddress"));
  unit.readRegisters("holding", 0, 8, false);
  assert.equal(samples(), 2n, "neither other registers, nor a refusal, nor a spoilt answer is a sample");
  const whole = unit.readRegisters("holding", 0, 16, true);
  assert.equal(numberOf("uint64", "ABCD", whole.subarray(0, 4)), 4n, "answers counts every answered read");
  assert.equal(numberOf("float32", "ABCD", whole.subarray(12, 14)), loadFloat(2, 4));
  assert.deepEqual([...whole.subarray(14)], [loadInteger(0, 4), loadInteger(1, 4)]);
  // A cut in the middle of a float still shows its other half.
  assert.equal(unit.readRegisters("holding", 9, 1, false)[0], whole[9]);
});

test("loadShapes() shares properties out to devices of at most a thousand", () => {
  assert.deepEqual(loadShapes(0), []);
  assert.deepEqual(loadShapes(1003), [
    { floats: 499, integers: 499 },
    { floats: 1, integers: 0 },
  ]);
  assert.throws(() => loadShapes(238_001), RangeError);
});

test("plantDevices() and loadDevices() are documents that the model's schema takes", () => {
  const place = { host: "127.0.0.1", port: 1502, node: "gw-01" };
  const documents = [...plantDevices(place), ...loadDevices({ ...place, values: 2003, everyMs: 1000 })];
  const devices = documents.filter((document) => document.kind === "Device");
  for (const device of devices) {
    assert.deepEqual([...Value.Errors(deviceSpecSchema, device.spec)], [], device.metadata.name);
    assert.equal(JSON.stringify(JSON.parse(JSON.stringify(device))), JSON.stringify(device), "plain data");
  }
  assert.deepEqual(
    devices.map((device) => `${device.metadata.name} ${Object.keys(device.spec.properties ?? {}).length}`),
    ["tank-01 10", "conveyor-01 3", "filler-01 4", "load-01 1000", "load-02 1000", "load-03 3"],
  );
  const conveyor = devices.find((device) => device.metadata.name === "conveyor-01")!;
  assert.deepEqual(conveyor.spec.address, { unitId: plantUnits["conveyor-01"] });
  assert.deepEqual(conveyor.spec.properties?.speed, {
    ...{
      type: "float32",
      displayName: "Speed set-point",
      access: "readWrite",
      unit: "m/min",
      minimum: 0,
      maximum: 100,
    },
    visitor: { table: "holding", offset: 0, raw: "float32", wordOrder: "ABCD" },
    collect: { every: "1s" },
  });
});
