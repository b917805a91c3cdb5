import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkSettings, withDefaults } from "@penstock/mapper-sdk";
import { codeOf, type Value, type ValueType } from "@penstock/model";
import { DataType, StatusCodes, Variant } from "node-opcua-client";
import { openFor, point } from "../test/open-for.ts";
import { PlantServer, plantUri } from "../test/plant-server.ts";

let plant: PlantServer;
let opened: Awaited<ReturnType<typeof openFor>>;
const signal = new AbortController().signal;
before(async () => {
  plant = await PlantServer.start();
  opened = await openFor(plant.url);
});
after(async () => {
  await opened?.close();
  await plant?.stop();
});

async function shown(name: string, type: ValueType): Promise<unknown> {
  const [result] = await opened.connection.read([point(name, type)], { signal });
  return result!.reason ?? result!.value;
}

// The promise is "typed end to end": one wrong row here is a wrong number in somebody's report.
test("every built-in type is read as every type that holds it, and as no other", async () => {
  const cases: [string, ValueType, unknown][] = [
    ["bool", "bool", true],
    ["bool", "uint8", 1],
    ["sbyte", "int8", -128],
    ["sbyte", "uint8", "mapper/value-out-of-range"],
    ["byte", "uint8", 255],
    ["byte", "int8", "mapper/value-out-of-range"],
    ["int16", "int16", -32768],
    ["uint16", "uint16", 65535],
    ["uint16", "bool", "mapper/bad-answer"],
    ["int32", "int32", -2147483648],
    ["uint32", "uint32", 4294967295],
    ["uint32", "int32", "mapper/value-out-of-range"],
    ["uint32", "int64", 4294967295n],
    ["int64", "int64", -9223372036854775807n],
    ["int64", "uint64", "mapper/value-out-of-range"],
    ["uint64", "uint64", 18446744073709551614n],
    ["uint64", "int64", "mapper/value-out-of-range"],
    ["uint64", "string", "18446744073709551614"],
    ["float", "float32", Math.fround(0.1)],
    ["float", "int32", "mapper/value-out-of-range"],
    ["double", "float64", 1e300],
    ["double", "float32", "mapper/value-out-of-range"],
    ["nan", "float64", "mapper/value-not-finite"],
    ["string", "string", "Grüße"],
    ["string", "float64", "mapper/bad-answer"],
    ["dateTime", "string", "2024-02-29T12:34:56.789Z"],
    ["dateTime", "int64", 1709210096789000n],
    ["guid", "string", "72962B91-FA75-4AE6-8D28-B404DC7DAF63"],
    ["byteString", "bytes", Uint8Array.of(0, 1, 254, 255)],
    ["byteString", "json", { json: "AAH+/w==" }],
    ["string", "bytes", "mapper/bad-answer"],
    ["xml", "string", "<a/>"],
    ["nodeId", "string", "ns=0;i=85"],
    ["statusCode", "string", "BadNodeIdUnknown"],
    ["qualifiedName", "string", "1:q"],
    ["localizedText", "string", "Ofen"],
    ["doubles", "json", { json: [1, 2.5, 3] }],
    ["doubles", "float64", "mapper/bad-answer"],
    ["int64s", "json", { json: ["1", "-1"] }],
    ["bytes", "bytes", Uint8Array.of(1, 2, 3)],
    [
      "matrix",
      "json",
      {
        json: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      },
    ],
    ["nothing", "int32", "mapper/bad-address"],
  ];
  for (const [name, type, expected] of cases) assert.deepEqual(await shown(name, type), expected, `${name} as ${type}`);
});

test("a structure is read as json", async () => {
  const [result] = await opened.connection.read([point("i=2256", "json", {}, "")], { signal });
  const { json } = result!.value as { json: Record<string, unknown> };
  assert.equal((json.buildInfo as Record<string, unknown>).productName, "NodeOPCUA-Server");
});

test("an index range reads and writes a part", async () => {
  const part = point("doubles", "json", { indexRange: "1:2" });
  assert.deepEqual(await opened.connection.read([part], { signal }), [{ value: { json: [2.5, 3] } }]);
});

test("quality follows the status code", async () => {
  const gauge = plant.variable("gauge", DataType.Double, 1);
  const value = new Variant({ dataType: DataType.Double, value: 7 });
  const read = async () => (await opened.connection.read([point("gauge", "float64")], { signal }))[0];
  gauge.setValueFromSource(value, StatusCodes.UncertainLastUsableValue);
  assert.deepEqual(await read(), { value: 7, quality: "uncertain" });
  gauge.setValueFromSource(value, StatusCodes.BadNoCommunication);
  assert.deepEqual(await read(), { value: null, reason: "mapper/gateway-no-response" });
  gauge.setValueFromSource(value, StatusCodes.BadSensorFailure);
  assert.deepEqual(await read(), { value: null, reason: "mapper/device-failure" });
  gauge.setValueFromSource(value, StatusCodes.Good);
  assert.deepEqual(await read(), { value: 7 });
});

test("a written value is of the node's type, and is read back", async () => {
  const cases: [string, ValueType, Value][] = [
    ["bool", "bool", false],
    ["sbyte", "int8", 127],
    ["int64", "int64", 9223372036854775807n],
    ["uint64", "uint64", 2n ** 63n],
    ["uint16", "float64", 12],
    ["float", "float64", 0.5],
    ["string", "string", "über"],
    ["localizedText", "string", "Presse"],
    ["dateTime", "string", "2030-01-01T00:00:00.000Z"],
    ["dateTime", "int64", 1893456001000000n],
    ["byteString", "bytes", Uint8Array.of(9, 8)],
    ["bytes", "bytes", Uint8Array.of(7)],
    ["doubles", "json", { json: [4, 5] }],
    ["int64s", "json", { json: ["9007199254740993"] }],
    ["guid", "string", "00000000-0000-4000-8000-000000000001"],
  ];
  for (const [name, type, value] of cases) {
    await opened.connection.write(point(name, type), value, { signal });
    assert.deepEqual(await shown(name, type), value, `${name} as ${type}`);
  }
});

test("what a node does not take is refused with its reason", async () => {
  const codeOfWrite = (name: string, type: ValueType, value: Value) =>
    opened.connection.write(point(name, type), value, { signal }).then(() => "written", codeOf);
  assert.equal(await codeOfWrite("sbyte", "int32", 128), "mapper/value-out-of-range");
  assert.equal(await codeOfWrite("uint16", "float64", 1.5), "mapper/value-out-of-range");
  assert.equal(await codeOfWrite("bool", "int32", 1), "mapper/value-out-of-range");
  assert.equal(await codeOfWrite("string", "float64", 1), "mapper/value-out-of-range");
  assert.equal(await codeOfWrite("guid", "string", "none"), "mapper/value-out-of-range");
  assert.equal(await codeOfWrite("nothing", "int32", 1), "mapper/bad-address");
  const outcomes = await opened.connection.writeAll!(
    [
      { point: point("uint32", "uint32"), value: 5 },
      { point: point("i=2258", "string", {}, ""), value: "2030-01-01T00:00:00Z" },
      { point: point("sbyte", "int8"), value: 5 },
    ],
    { signal },
  );
  assert.deepEqual(
    outcomes.map((outcome) => outcome?.code ?? "written"),
    ["written", "mapper/value-refused", "written"],
  );
});

test("a node is found by its namespace's name and by the device's place", async () => {
  const named = {
    ...point("x", "bool"),
    visitor: withDefaults(opened.fields.visitor, { nodeId: `nsu=${plantUri};s=bool` }),
  };
  const placed = {
    ...point("x", "bool"),
    visitor: withDefaults(opened.fields.visitor, { nodeId: `nsu=${plantUri};s={place}` }),
    address: { place: "bool" },
  };
  const unknown = { ...named, visitor: withDefaults(opened.fields.visitor, { nodeId: "nsu=urn:nobody;s=bool" }) };
  const results = await opened.connection.read([named, placed, unknown], { signal });
  assert.deepEqual(
    results.map(({ value, reason }) => reason ?? typeof value),
    ["boolean", "boolean", "mapper/bad-address"],
  );
});

test("settings that cannot be are refused with field and rule", () => {
  const bad = (given: object) => checkSettings(opened.fields, given).map(({ field }) => field);
  assert.equal(bad({ connection: { url: "http://x" } }).length, 1);
  assert.equal(bad({ connection: { url: "opc.tcp://x", password: "p" } }).length, 1);
  assert.equal(bad({ connection: { url: "opc.tcp://x", userKey: "k" } }).length, 1);
  assert.equal(bad({ visitor: { nodeId: "Temperature" } }).length, 1);
  assert.equal(bad({ visitor: { nodeId: "ns=2;s=a", indexRange: "a" } }).length, 1);
  assert.equal(bad({ visitor: { nodeId: "ns=2;s=a", deadbandKind: "percent" } }).length, 1);
  assert.equal(bad({ connection: { url: "opc.tcp://h:4840/path" }, visitor: { nodeId: "ns=2;s=a" } }).length, 0);
});
