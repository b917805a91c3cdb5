/**
 * A furnace with an OPC UA server, in a process of its own: `node examples/opcua-temperature/furnace.ts [--port N]`.
 *
 * It starts cold. The burner heats the chamber towards 120 °C, and without it the chamber cools to 20 °C. It knows nothing of Penstock: it
 * shows Kiln.Temperature, takes Kiln.HighLimit and Kiln.Burner, and prints a line of JSON for what happens to it. `afterMs` is
 * its own measure: from the change that made the chamber too hot to the write that put the burner out.
 */
import { parseArgs } from "node:util";
import { DataType } from "node-opcua-client";
import { PlantServer } from "../../packages/mappers/opcua/test/plant-server.ts";

const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
const plant = await PlantServer.start({ port: Number(values.port) });
const temperature = plant.variable("Kiln.Temperature", DataType.Double, 20);
const limit = plant.variable("Kiln.HighLimit", DataType.Double, 80);
const burner = plant.variable("Kiln.Burner", DataType.Boolean, false);

const stepMs = 20;
/** of the way to where it would come to rest, in one step */
const share = 0.004;
const state = { celsius: 20, limit: 80, isBurning: false, hotSince: null as number | null };

function say(event: string, more: object = {}): void {
  const { celsius, isBurning, limit: most } = state;
  console.log(JSON.stringify({ event, celsius: round(celsius), limit: most, burner: isBurning, ...more }));
}
const round = (value: number) => Math.round(value * 100) / 100;

limit.on("value_changed", (now: { value: { value: number } }) => {
  if (now.value.value === state.limit) return;
  state.limit = now.value.value;
  state.hotSince = null;
  say("limit");
});
burner.on("value_changed", (now: { value: { value: boolean } }) => {
  if (now.value.value === state.isBurning) return;
  state.isBurning = now.value.value;
  const { hotSince } = state;
  state.hotSince = null;
  if (state.isBurning) say("resumed");
  else say("suspended", { afterMs: hotSince === null ? null : round(performance.now() - hotSince) });
});

setInterval(() => {
  const goal = state.isBurning ? 120 : 20;
  state.celsius += (goal - state.celsius) * share;
  const isHot = state.celsius > state.limit;
  if (isHot && state.isBurning && state.hotSince === null) {
    state.hotSince = performance.now();
    say("hot");
  }
  temperature.setValueFromSource({ dataType: DataType.Double, value: round(state.celsius) });
}, stepMs);

console.log(JSON.stringify({ url: plant.url, port: plant.port, pid: process.pid }));
