import { join } from "node:path";
import { after } from "node:test";
import { conformance } from "@penstock/mapper-sdk";
import { DataType } from "node-opcua-client";
import { PlantServer, plantUri } from "../test/plant-server.ts";
import { SessionDevice } from "../test/session-device.ts";
import { opcua } from "./index.ts";

const value = 0x12345678;
const bytes = Buffer.alloc(4);
bytes.writeUInt32LE(value);

const plant = await PlantServer.start();
after(() => plant.stop());
plant.counters[0]!.setValueFromSource({ dataType: DataType.UInt32, value });

const visitor = { nodeId: `nsu=${plantUri};s=count0` };
await conformance(opcua, {
  folder: join(import.meta.dirname, ".."),
  connection: ({ host, port }) => ({ url: `opc.tcp://${host}:${port}` }),
  address: {},
  point: { type: "uint32", visitor, value },
  writable: { type: "uint32", visitor, value, unfit: 2 ** 32 },
  refusal: { code: "mapper/value-refused" },
  device: () => new SessionDevice({ plant: () => plant, node: "count0", value: bytes }),
});
