import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@penstock/model";
import fc from "fast-check";
import { decodeDmi, encodeDmi, fromAny, toAny } from "./index.ts";

const hex = (...parts: readonly string[]) => Uint8Array.from(Buffer.from(parts.join("").replaceAll(" ", ""), "hex"));

// Written out from the numbers of the interface: what both our ends would get wrong in the same way shows here.
test("decodeDmi reads a report byte by byte, with what a mapper may leave out", () => {
  const bytes = hex(
    "0a 05 7072657373", // 1 deviceName "press"
    "12 1e", // 2 reportedDevice
    "0a 1c", // 1 twins
    "0a 01 74", // 1 propertyName "t"
    "1a 17", // 3 reported; 2 observedDesired is missing
    "0a 03 312e35", // 1 value "1.5"
    "12 10 0a09 74696d657374616d70 12 03 313030", // 2 metadata timestamp: "100"
    "1a 04 61636d65", // 3 deviceNamespace "acme"
    "78 01", // 15, of a later version
  );
  assert.deepEqual(decodeDmi("ReportDeviceStatusRequest", bytes), {
    deviceName: "press",
    reportedDevice: {
      twins: [
        {
          propertyName: "t",
          observedDesired: null,
          reported: { value: "1.5", metadata: new Map([["timestamp", "100"]]) },
        },
      ],
      reportToCloud: false,
      reportCycle: 0,
    },
    deviceNamespace: "acme",
  });
});

test("the two report requests have their namespace under different numbers", () => {
  const name = { deviceName: "a", deviceNamespace: "b" };
  assert.deepEqual(
    encodeDmi("ReportDeviceStatusRequest", { ...name, reportedDevice: null }),
    hex("0a 01 61 1a 01 62"), // 1, 3
  );
  assert.deepEqual(encodeDmi("ReportDeviceStatesRequest", { ...name, state: "ok" }), hex("0a0161 120162 1a02 6f6b"));
});

test("encodeDmi writes a device with its settings in wrappers, cycles as int64 and empty messages as such", () => {
  const device = {
    name: "d",
    spec: {
      deviceModelReference: "m",
      protocol: { protocolName: "p", configData: { data: new Map([["unit", toAny(300)]]) } },
      properties: [
        {
          ...{ name: "t", visitors: null },
          pushMethod: { http: null, mqtt: null, dbMethod: null, otel: null, anomalyDetection: null },
          desired: { value: "", metadata: new Map() },
          ...{ reportCycle: 1000, collectCycle: 250, reportToCloud: true },
        },
      ],
      methods: [],
    },
    status: null,
    namespace: "n",
  };
  const int64 = Buffer.from("type.googleapis.com/google.protobuf.Int64Value").toString("hex");
  const expected = hex(
    "0a 62", // 1 device
    "0a 01 64", // 1 name
    "12 5a", // 2 spec
    "0a 01 6d", // 1 deviceModelReference
    "12 44 0a01 70", // 2 protocol: 1 protocolName
    "12 3f 0a 3d", // 2 configData: 1 data, one entry
    "0a 04 756e6974", // key "unit"
    "12 35 0a 2e", // value: Any, 1 type_url
    int64,
    "12 03 08 ac02", // 2 value: Int64Value 300
    "1a 0f", // 3 properties
    "0a 01 74 12 00", // 1 name, 2 desired, empty
    "20 e807 28 fa01 30 01 3a 00", // 4 reportCycle, 5 collectCycle, 6 reportToCloud, 7 pushMethod
    "22 01 6e", // 4 namespace
  );
  const bytes = encodeDmi("RegisterDeviceRequest", { device });
  assert.equal(Buffer.from(bytes).toString("hex"), Buffer.from(expected).toString("hex"));
  assert.deepEqual(decodeDmi("RegisterDeviceRequest", bytes).device, device);
});

test("a setting comes back from its wrapper as it was", () => {
  for (const value of ["", "x é", 0, 1, -1, 2 ** 53 - 1, -(2n ** 63n), 2n ** 63n - 1n, 0.5, true, false]) {
    assert.deepEqual(fromAny(toAny(value)), value);
  }
  assert.equal(fromAny(toAny(0.1)), 0.1); // the float32 next to it
  assert.equal(fromAny(toAny(2n ** 64n - 1n)), "18446744073709551615");
  assert.equal(fromAny(toAny([1, { a: 2n ** 60n }])), '[1,{"a":1152921504606846976}]');
  assert.equal(fromAny({ type_url: "type.googleapis.com/google.protobuf.Struct", value: new Uint8Array() }), undefined);
  assert.equal(fromAny({ type_url: "x.Int64Value", value: hex("08 ff") }), undefined);
});

test("decodeDmi meets any bytes with a message or input/invalid", () => {
  const good = encodeDmi("MapperRegisterRequest", {
    withData: true,
    mapper: { name: "m", version: "1", api_version: "v1beta1", protocol: "p", address: hex("2f61"), state: "" },
  });
  const spoilt = fc
    .tuple(fc.nat(good.length - 1), fc.nat(255))
    .map(([at, byte]) => good.map((old, i) => (i === at ? byte : old)));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), spoilt), (bytes) => {
      for (const name of ["MapperRegisterRequest", "ReportDeviceStatusRequest", "GetDeviceResponse"] as const) {
        try {
          decodeDmi(name, bytes);
        } catch (error) {
          assert.ok(error instanceof AppError && error.code === "input/invalid", String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});
