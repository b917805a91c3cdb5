import { createServer } from "node:net";

/**
 * A Modbus TCP server that answers every read of registers with 7 in each, and says when reads came: a line "read AT" for
 * each, in milliseconds since it began. Where it had to wait for the machine itself it says "late AT MS". A program of its
 * own, so that nobody else holds up its clock.
 */
const server = createServer((socket) => {
  let rest = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    // Modbus Messaging on TCP/IP V1.0b, 3.1.3: transaction, protocol, length, unit; then function, first register, count
    while (rest.length >= 12) {
      process.stdout.write(`read ${performance.now()}\n`);
      const bytes = 2 * rest.readUInt16BE(10);
      const answer = Buffer.alloc(9 + bytes);
      rest.copy(answer, 0, 0, 8);
      answer.writeUInt16BE(3 + bytes, 4);
      answer[8] = bytes;
      for (let at = 9; at < answer.length; at += 2) answer.writeUInt16BE(7, at);
      rest = rest.subarray(12);
      socket.write(answer);
    }
  });
});
const lookMs = 5;
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  const lateMs = now - last - lookMs;
  if (lateMs > 3 * lookMs) process.stdout.write(`late ${now} ${lateMs}\n`);
  last = now;
}, lookMs);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object")
    process.stdout.write(`${JSON.stringify({ port: address.port })}\n`);
});
