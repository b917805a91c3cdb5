import { S7Memory } from "./s7-memory.ts";
import { S7Server } from "./s7-server.ts";

/** A press as the guide describes it: data block 10 of a PLC, and one flag. */
export function playPress(options: { readonly port?: number } = {}): Promise<S7Server> {
  const memory = new S7Memory();
  const block = memory.add("DB", 40, 10);
  block[0] = 0b101; // running, and the guard is closed
  block.writeInt16BE(842, 2); // pressure, tenths of a bar
  block.writeFloatBE(63.5, 4); // oil temperature
  block.writeFloatBE(55, 8); // its set-point
  block.writeBigInt64BE(9_007_199_254_740_993n, 12); // strokes: more than a float64 can count
  block.set([16, 6, ...Buffer.from("BX-204", "latin1")], 20); // tool, STRING[16]
  memory.add("M", 16);
  return S7Server.start({ memory, ...options });
}
