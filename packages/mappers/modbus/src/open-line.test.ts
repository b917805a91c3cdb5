import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSettings } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import { modbus } from "./index.ts";
import { nameOf, type PlaceSettings, placeOf } from "./open-line.ts";

const settings: PlaceSettings = {
  ...{ transport: "tcp", host: "PLC-1", port: 502, path: undefined },
  ...{ baud: 19_200, dataBits: undefined, parity: "even", stopBits: 1, localEcho: false },
};
const fieldsOf = (given: PlaceSettings) => {
  try {
    placeOf(given);
    return [];
  } catch (error) {
    assert.ok(error instanceof AppError);
    return error.fields.map(({ field }) => field);
  }
};

test("placeOf() names one place once, and takes the data bits that the framing wants", () => {
  assert.equal(nameOf(placeOf(settings)), "plc-1:502");
  const serial = { ...settings, host: undefined, path: "/dev/ttyUSB0" };
  const rtu = placeOf({ ...serial, transport: "rtu" });
  assert.equal(nameOf(rtu), "/dev/ttyUSB0");
  assert.equal("serial" in rtu && rtu.serial.dataBits, 8);
  const ascii = placeOf({ ...serial, transport: "ascii" });
  assert.equal("serial" in ascii && ascii.serial.dataBits, 7);
});

test("placeOf() refuses what leads nowhere", () => {
  assert.deepEqual(fieldsOf({ ...settings, host: undefined }), ["connection.host"]);
  assert.deepEqual(fieldsOf({ ...settings, transport: "rtu" }), ["connection.path"]);
  assert.deepEqual(fieldsOf({ ...settings, transport: "rtu", path: "/dev/ttyS0", dataBits: 7 }), [
    "connection.dataBits",
  ]);
});

test("the manifest alone refuses a place of the wrong kind, before anything is opened", () => {
  const refused = (connection: Record<string, unknown>) =>
    checkSettings(modbus, { connection }).map(({ field }) => field);
  assert.deepEqual(refused({ host: "10.0.4.12" }), []);
  assert.deepEqual(refused({ transport: "rtu", path: "/dev/ttyS0", baud: 9600, parity: "none", stopBits: 2 }), []);
  assert.deepEqual(refused({ host: "10.0.4.12", baud: 9600 }), ["connection.baud"]);
  assert.deepEqual(refused({ transport: "rtu-over-tcp", path: "/dev/ttyS0" }), ["connection.host", "connection.path"]);
  assert.deepEqual(refused({ transport: "ascii", path: "/dev/ttyS0", host: "10.0.4.12", port: 502 }), [
    "connection.host",
    "connection.port",
  ]);
  assert.deepEqual(refused({ transport: "udp", host: "10.0.4.12" }), ["connection.transport"]);
});
