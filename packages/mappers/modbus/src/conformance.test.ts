import { join } from "node:path";
import { conformance } from "@penstock/mapper-sdk";
import { modbus } from "./index.ts";

/** MBAP: transaction (2), protocol (2), length (2), unit (1); then function and its data. */
const answer = (request: Uint8Array, ...pdu: number[]) =>
  Uint8Array.of(request[0]!, request[1]!, 0, 0, 0, 1 + pdu.length, request[6]!, ...pdu);

await conformance(modbus, {
  folder: join(import.meta.dirname, ".."),
  connection: ({ host, port }) => ({ host, port }),
  address: { unitId: 1 },
  point: { type: "float64", visitor: { table: "holding", offset: 7, raw: "int16", scale: 0.1 }, value: 21.5 },
  writable: {
    type: "float64",
    visitor: { table: "holding", offset: 7, raw: "int16", scale: 0.1 },
    value: 21.5,
    unfit: 4000, // 40000 counts
  },
  cut: (bytes) => (bytes.length >= 6 && bytes.length >= 6 + bytes[5]! ? 6 + bytes[5]! : 0),
  // 03: two bytes, 00d7 is 215; 06: the request itself
  right: (request) => (request[7] === 3 ? answer(request, 3, 2, 0x00, 0xd7) : request),
  other: (request) => answer(request, 3, 2, 0x11, 0x11),
  // the transaction before: what a device says that was too slow the last time
  wrong: (request) => {
    const late = answer(request, 3, 2, 0x11, 0x11);
    late[1] = (late[1]! + 255) & 255;
    return late;
  },
  garbage: Uint8Array.from("HTTP/1.1 400 Bad Request\r\n\r\n", (c) => c.charCodeAt(0)),
  refusal: { answer: (request) => answer(request, 0x86, 3), code: "mapper/value-refused" },
});
