import { join } from "node:path";
import { conformance } from "@penstock/mapper-sdk";
import { s7 } from "./index.ts";

/** TPKT (4), COTP data (3), header with the question's reference (12), parameters, data. */
const answer = (request: Uint8Array, parameter: number[], data: number[]) => {
  const [p, d] = [parameter.length, data.length];
  const header = [0x32, 3, 0, 0, request[11]!, request[12]!, 0, p, 0, d, 0, 0];
  return Uint8Array.of(3, 0, 0, 19 + p + d, 2, 0xf0, 0x80, ...header, ...parameter, ...data);
};
const functionOf = (request: Uint8Array) => request[17]!;
/** return code good, bytes, 16 bits, two bytes */
const word = (request: Uint8Array, high: number, low: number) => answer(request, [4, 1], [0xff, 4, 0, 16, high, low]);
const point = { type: "float64", visitor: { address: "DB10.DBW4", type: "int", scale: 0.1 } } as const;

await conformance(s7, {
  folder: join(import.meta.dirname, ".."),
  connection: ({ host, port }) => ({ host, port }),
  address: {},
  point: { ...point, value: 21.5 },
  writable: { ...point, value: 21.5, unfit: 4000 }, // 40000 counts
  cut: (bytes) => (bytes.length >= 4 && bytes.length >= bytes[2]! * 256 + bytes[3]! ? bytes[2]! * 256 + bytes[3]! : 0),
  greeting: (request) => {
    // connect confirm: to the reference that the request named, TPDU of 1024 bytes
    if (request[5] === 0xe0) return Uint8Array.of(3, 0, 0, 14, 9, 0xd0, 0, 1, 0, 7, 0, 0xc0, 1, 10);
    // one job at a time, 240 bytes
    return functionOf(request) === 0xf0 ? answer(request, [0xf0, 0, 0, 1, 0, 1, 0, 240], []) : null;
  },
  // 00d7 is 215
  right: (request) => (functionOf(request) === 4 ? word(request, 0x00, 0xd7) : answer(request, [5, 1], [0xff])),
  other: (request) => word(request, 0x11, 0x11),
  // the reference before: what a PLC says that was too slow the last time
  wrong: (request) => {
    const late = word(request, 0x11, 0x11);
    late[12] = (late[12]! + 255) & 255;
    return late;
  },
  garbage: Uint8Array.from("HTTP/1.1 400 Bad Request\r\n\r\n", (c) => c.charCodeAt(0)),
  refusal: { answer: (request) => answer(request, [5, 1], [0x03]), code: "mapper/access-denied" },
});
