import { parseArgs } from "node:util";
import { ModbusServer } from "../modbus-server/modbus-server.ts";
import { PlantClockwork } from "./clockwork.ts";
import { firstLoadUnit, LoadUnit, loadShapes } from "./load-unit.ts";
import { plantModbusUnits } from "./plant-unit.ts";

/**
 * The simulated bottling line as a process: `main.ts [--port 0] [--host 127.0.0.1] [--seed 1] [--values 0]`. Its first
 * line is {"host","port","pid"}. It ends with SIGTERM, or when its standard input closes, so that it never outlives
 * whoever started it.
 */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    seed: { type: "string", default: "1" },
    values: { type: "string", default: "0" },
  },
});
const clock = { monotonic: () => Math.floor(performance.now() * 1000) };
const units = plantModbusUnits(new PlantClockwork({ clock, seed: whole("seed", values.seed, 2 ** 32 - 1) }));
for (const [i, shape] of loadShapes(whole("values", values.values, 1_000_000)).entries()) {
  units.set(firstLoadUnit + i, new LoadUnit(shape));
}
const server = await ModbusServer.listen({ units, host: values.host, port: whole("port", values.port, 65_535) });

const end = () => {
  void server.close().then(() => process.exit(0));
};
process.on("SIGTERM", end);
process.stdin.on("end", end).on("error", end).resume();
// Last: whoever has read this line may stop us at once, and finds us ready for it.
process.stdout.write(`${JSON.stringify({ host: server.host, port: server.port, pid: process.pid })}\n`);

function whole(option: string, text: string, most: number): number {
  const value = Number(text);
  if (text !== "" && Number.isInteger(value) && value >= 0 && value <= most) return value;
  process.stderr.write(`Cannot start the plant: --${option} "${text}": not a whole number 0..${most}\n`);
  process.exit(2);
}
