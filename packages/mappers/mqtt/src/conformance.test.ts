import { join } from "node:path";
import { conformance } from "@penstock/mapper-sdk";
import { mqttDevices } from "./index.ts";

const topic = "plant/level";
/** first byte, remaining length (below 128 here), the rest. @source MQTT 5.0, 2.1 */
const packet = (first: number, ...rest: readonly number[]) => Uint8Array.of(first, rest.length, ...rest);
const types = { connect: 0x10, publish: 0x30, subscribe: 0x80 } as const;
const typeOf = (request: Uint8Array) => request[0]! & 0xf0;
const bytesOf = (text: string) => [...new TextEncoder().encode(text)];
/** of SUBSCRIBE after the fixed header of two bytes; of a PUBLISH with qos 1 after its topic */
function packetId(request: Uint8Array): [number, number] {
  const at = typeOf(request) === types.subscribe ? 2 : 4 + request[3]!;
  return [request[at]!, request[at + 1]!];
}
// id, no properties, reason: granted with qos 1
const subAck = (id: readonly number[]) => packet(0x90, ...id, 0, 1);
// retained, qos 0: topic, no properties, payload
const retained = packet(0x31, 0, topic.length, ...bytesOf(topic), 0, ...bytesOf("21.5"));
const pubAck = (id: readonly number[], reason: number) => packet(0x40, ...id, reason, 0);
const joined = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const right = (request: Uint8Array) =>
  typeOf(request) === types.subscribe ? joined(subAck(packetId(request)), retained) : pubAck(packetId(request), 0);

await conformance(mqttDevices, {
  folder: join(import.meta.dirname, ".."),
  connection: ({ host, port }) => ({ url: `mqtt://${host}:${port}` }),
  address: {},
  point: { type: "float64", visitor: { topic }, value: 21.5 },
  writable: { type: "int16", visitor: { setTopic: "plant/set" }, value: 5, unfit: 40_000 },
  cut: (bytes) => {
    const [, low, high] = bytes;
    if (low === undefined || (low >= 0x80 && high === undefined)) return 0;
    const length = low < 0x80 ? 2 + low : 3 + (low & 0x7f) + high! * 128;
    return bytes.length >= length ? length : 0;
  },
  greeting: (request) => {
    if (typeOf(request) === types.connect) return packet(0x20, 0, 0, 0); // no session, accepted, no properties
    return typeOf(request) === types.subscribe || typeOf(request) === types.publish ? null : new Uint8Array();
  },
  right,
  // What comes on a topic is so, whenever it comes: late is the agreement only.
  other: (request) => subAck(packetId(request)),
  wrong: (request) => subAck(packetId(request).map((byte) => byte ^ 0x55)),
  garbage: Uint8Array.of(0xf7, 0xff, 0xff, 0xff, 0xff, 0xff),
  // MQTT 5.0, 3.4.2.1: 0x99, the payload format is not the one stated
  refusal: { answer: (request) => pubAck(packetId(request), 0x99), code: "mapper/value-refused" },
});
