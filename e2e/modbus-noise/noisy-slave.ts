/**
 * The noisy device, in a process of its own: `node noisy-slave.ts <transport> <terminal or ""> <nonce> <seed>`. Tells its
 * port when it listens; the message "quiet" makes it a good device.
 */
import { constants, openSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { ReadStream } from "node:tty";
import { asciiFraming } from "../../packages/testkit/src/modbus-server/ascii.ts";
import { type ModbusFrame, tcpFraming } from "../../packages/testkit/src/modbus-server/frame.ts";
import { rtuFraming } from "../../packages/testkit/src/modbus-server/rtu.ts";
import { SimRandom } from "../../packages/testkit/src/sim-random.ts";
import { noiseFor } from "./noise.ts";
import { registerValue } from "./register-value.ts";

const [transport = "tcp", terminal = "", nonceText = "1", seedText = "1"] = process.argv.slice(2);
const nonce = Number(nonceText);
const random = new SimRandom(Number(seedText));
const framing = transport === "tcp" ? tcpFraming : transport === "ascii" ? asciiFraming : rtuFraming;
let isQuiet = false;
/** A unit does one thing after the other, and so do its answers come; over Modbus TCP all units share one stream. */
const busy = new Map<number, Promise<void>>();

function answerTo({ unit, pdu }: ModbusFrame): Uint8Array {
  const [code = 0] = pdu;
  const word = (at: number) => (pdu[at]! << 8) | pdu[at + 1]!;
  if (code === 6) return pdu;
  if (code === 16) return pdu.subarray(0, 5);
  if (code !== 3) return Uint8Array.of(code | 0x80, 1);
  const bytes = Buffer.alloc(2 + word(3) * 2);
  bytes[0] = 3;
  bytes[1] = word(3) * 2;
  for (let i = 0; i < word(3); i++) bytes.writeUInt16BE(registerValue(nonce, unit, word(1) + i), 2 + i * 2);
  return bytes;
}

function serve(socket: Socket): void {
  const splitter = framing.splitter();
  /** good answers since one was cut short, on a stream that has no checksum */
  let sinceCut = -1;
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    for (const frame of splitter.push(chunk)) {
      const turn = transport === "tcp" ? 0 : frame.unit;
      const before = busy.get(turn) ?? Promise.resolve();
      const done = before.then(async () => {
        const right = { ...frame, pdu: answerTo(frame) };
        const noise =
          isQuiet || sinceCut >= 0
            ? { parts: [framing.encode(right)] }
            : noiseFor(right, { framing, random, transport });
        for (const part of noise.parts) {
          if (typeof part === "number") await new Promise((resolve) => setTimeout(resolve, part));
          else socket.write(part);
        }
        if (sinceCut >= 0) sinceCut++;
        else if (noise.cuts === true && transport === "tcp") sinceCut = 0;
        if (noise.closes === true || (sinceCut > 20 && !isQuiet)) socket.destroy();
      });
      busy.set(turn, done);
    }
  });
}

process.on("disconnect", () => process.exit(0));
process.on("message", () => {
  isQuiet = true;
});
if (terminal !== "") {
  const tty = new ReadStream(openSync(terminal, constants.O_RDWR | constants.O_NOCTTY));
  tty.setRawMode(true);
  serve(tty);
  process.send?.({ port: 0 });
} else {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    serve(socket);
  });
  server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
}
