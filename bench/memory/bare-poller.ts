/**
 * What the gateway is held against: a bare Node process. With `port unit registers` it also reads that many registers
 * once a second from a plain socket, each turned into a number, and keeps none.
 */
import { once } from "node:events";
import { connect } from "node:net";

const [port, unit, registers] = process.argv.slice(2).map(Number);
process.stdin.on("end", () => process.exit(0)).resume();
if (port !== undefined && unit !== undefined && registers !== undefined) {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  const values = new Float64Array(125);
  socket.on("data", (chunk) => {
    for (let at = 9, i = 0; at + 1 < chunk.length; at += 2, i++) values[i % 125] = chunk.readUInt16BE(at);
  });
  setInterval(() => {
    for (let start = 0; start < registers; start += 125) {
      const frame = Buffer.from([0, 0, 0, 0, 0, 6, unit, 3, 0, 0, 0, 0]);
      frame.writeUInt16BE(start, 8);
      frame.writeUInt16BE(Math.min(125, registers - start), 10);
      socket.write(frame);
    }
  }, 1000);
}
process.stdout.write(`${JSON.stringify({ pid: process.pid })}\n`);
