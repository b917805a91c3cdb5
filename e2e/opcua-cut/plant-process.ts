/**
 * An OPC UA server in a process of its own, `plant-process.ts PORT COUNTERS FIRST`: all counters stand at FIRST and are raised
 * together, ten times a second, from "count" on until "stop", which is answered with the last value.
 */

import { PlantServer } from "../../packages/mappers/opcua/test/plant-server.ts";
import { everyMs } from "./every-ms.ts";

const [port, counters, first] = process.argv.slice(2).map(Number);
const plant = await PlantServer.start({ port: port!, counters: counters! });
let value = first!;
plant.raise(value);
const began = { at: 0, value };
let raising: NodeJS.Timeout | undefined;

/** By the clock, so that a machine that is busy for a moment raises in time again. */
function raise(): void {
  plant.raise(++value);
  const due = began.at + (value - began.value + 1) * everyMs;
  raising = setTimeout(raise, Math.max(0, due - performance.now()));
}

process.on("message", (said) => {
  if (said === "count") {
    Object.assign(began, { at: performance.now(), value });
    raise();
    return;
  }
  clearTimeout(raising);
  process.send!({ value });
});
process.on("disconnect", () => process.exit());
process.send!({ port: plant.port });
