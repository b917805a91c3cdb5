import { join } from "node:path";
import { conformance } from "@penstock/mapper-sdk";
import { mapper } from "../src/index.ts";
import { PlayedDevice } from "./device.ts";

const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
/** the first line of what has come, without its end */
const lineOf = (request: Uint8Array) => String.fromCharCode(...request).trimEnd();
const numberOf = (request: Uint8Array) => Number(lineOf(request).split(" ")[0]);

/** What the kit must know to play the device well and badly: slow, wrong, broken, gone. */
await conformance(mapper, {
  folder: join(import.meta.dirname, ".."),
  connection: ({ host, port }) => ({ host, port }),
  address: {},
  point: { type: "float64", visitor: { register: 2 }, value: 21.5 },
  writable: { type: "float64", visitor: { register: 2 }, value: 30, unfit: 2e6 },
  cut: (held) => held.indexOf(10) + 1,
  right: (request) => bytes(`${new PlayedDevice().answer(lineOf(request))}\n`),
  other: (request) => bytes(`${numberOf(request)} = 99\n`),
  wrong: (request) => bytes(`${numberOf(request) + 1} = 99\n`),
  garbage: bytes("HTTP/1.1 400 Bad Request\r\n\r\n"),
  refusal: { answer: (request) => bytes(`${numberOf(request)} ! locked\n`), code: "mapper/access-denied" },
});
