/** A server behind a noisy line, in a process of its own so that its memory is not the client's. */

import { DataType } from "node-opcua-client";
import { PlantServer } from "../../packages/mappers/opcua/test/plant-server.ts";
import { SimRandom } from "../../packages/testkit/src/sim-random.ts";
import { counter, nodes, nodeValue } from "./node-value.ts";
import { NoisyLine } from "./noisy-line.ts";

const [nonce, seed] = process.argv.slice(2).map(Number);
const plant = await PlantServer.start({ counters: nodes + 1 });
for (let i = 0; i < nodes; i++) {
  plant.counters[i]!.setValueFromSource({ dataType: DataType.UInt32, value: nodeValue(nonce!, i) });
}
let count = 0;
const counting = setInterval(() => {
  plant.counters[counter]!.setValueFromSource({ dataType: DataType.UInt32, value: ++count });
}, 20);
const line = new NoisyLine({ target: plant.port, random: new SimRandom(seed!) });
process.on("message", () => {
  line.isQuiet = true;
});
process.on("disconnect", async () => {
  clearInterval(counting);
  line.close();
  await plant.stop();
  process.exit();
});
process.send!({ port: await line.listen() });
