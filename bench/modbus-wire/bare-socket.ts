import { once } from "node:events";
import { connect } from "node:net";
import { registersEachRequest, requestsEachCycle, unitId } from "./register-table.ts";

/**
 * The physical ceiling: the same reads from a plain socket, with every register turned into a number, and nothing else: no
 * time-outs, no checks, no plan. @returns answers until `milliseconds` are over
 */
export async function readBare(options: { port: number; inFlight: number; milliseconds: number }): Promise<number> {
  const socket = connect({ host: "127.0.0.1", port: options.port, noDelay: true });
  await once(socket, "connect");
  const requests = Array.from({ length: requestsEachCycle }, (_, i) => {
    const frame = Buffer.alloc(12);
    // transaction, protocol 0, length 6, unit; function 3, start, count
    for (const [at, word] of [
      [0, i],
      [4, 6],
    ] as const)
      frame.writeUInt16BE(word, at);
    frame[6] = unitId;
    frame[7] = 3;
    frame.writeUInt16BE(i * registersEachRequest, 8);
    frame.writeUInt16BE(registersEachRequest, 10);
    return frame;
  });
  const answerBytes = 9 + registersEachRequest * 2;
  const values = new Float64Array(registersEachRequest);
  const end = performance.now() + options.milliseconds;
  let sent = 0;
  let answers = 0;
  const ask = () => socket.write(requests[sent++ % requestsEachCycle]!);
  await new Promise<void>((resolve, reject) => {
    let held: Buffer = Buffer.alloc(0);
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      let at = 0;
      for (; held.length - at >= answerBytes; at += answerBytes) {
        for (let i = 0; i < registersEachRequest; i++) values[i] = held.readUInt16BE(at + 9 + i * 2);
        answers++;
        if (performance.now() < end) ask();
        else if (answers === sent) resolve();
      }
      held = held.subarray(at);
    });
    for (let i = 0; i < options.inFlight; i++) ask();
  });
  socket.destroy();
  return answers;
}
