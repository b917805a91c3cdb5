/**
 * The noisy PLC, in a process of its own: `node noisy-plc.ts <nonce> <seed>`. Tells its port when it listens; the message
 * "quiet" makes it a good one.
 */
import type { Socket } from "node:net";
import { S7Memory, S7Server, SimRandom } from "@penstock/testkit";
import { noiseFor } from "./noise.ts";
import { blockBytes, placeValue } from "./place-value.ts";

const [nonceText = "1", seedText = "1"] = process.argv.slice(2);
const nonce = Number(nonceText);
const random = new SimRandom(Number(seedText));
const memory = new S7Memory();
const block = memory.add("DB", blockBytes, 10);
for (let at = 0; at < block.length; at++) block[at] = placeValue(nonce, at);
let isQuiet = false;
/** good answers still to come on connections where one has been cut: by then the client has found out, or there was nothing to find */
const goodLeft = new WeakMap<Socket, number>();
const goodAfterCut = 20;

const server = await S7Server.start({
  ...{ memory, pduSize: 240, jobs: 4 },
  hook: (request, right, socket) => {
    const left = goodLeft.get(socket) ?? 0;
    goodLeft.set(socket, Math.max(0, left - 1));
    if (isQuiet || left > 0) return [right];
    const { parts, closes, cuts } = noiseFor(request, right, random);
    if (cuts === true) goodLeft.set(socket, goodAfterCut);
    if (closes === true) socket.destroy();
    return parts;
  },
});
process.on("disconnect", () => process.exit(0));
process.on("message", () => {
  isQuiet = true;
});
process.send?.({ port: server.port });
