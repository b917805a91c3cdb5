import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { firstLoadUnit, LoadUnit, loadShapes, MemoryUnit, ModbusServer, type ModbusUnit } from "@penstock/testkit";
import { setpointCount, setpointUnit } from "./devices.ts";
import { firstOrderUnit, OrderUnit, orderDevices } from "./order-device.ts";

/**
 * The plant of a fault run as a process: load devices and devices that are set, behind Modbus TCP. Its first line is
 * {"host","port","reportPort"}; GET on reportPort tells what it has answered and what was set there.
 */
const { values } = parseArgs({ options: { values: { type: "string", default: "5000" } } });
const loads = loadShapes(Number(values.values)).map((shape) => new LoadUnit(shape));
const setpoints = new MemoryUnit({ holding: setpointCount * 2 });
const orders = orderDevices.map(() => new OrderUnit());
const server = await ModbusServer.listen({
  units: new Map<number, ModbusUnit>([
    [setpointUnit, setpoints],
    ...orders.map((unit, i) => [firstOrderUnit + i, unit] as const),
    ...loads.map((unit, i) => [firstLoadUnit + i, unit] as const),
  ]),
});
const reports = createServer((_, response) => {
  const words = setpoints.holding;
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({
      samples: loads.map(({ samples }) => Number(samples)),
      setpoints: Array.from({ length: setpointCount }, (_, i) => words[i * 2]! * 0x1_0000 + words[i * 2 + 1]!),
      orders: orders.map(({ held, writes }) => ({ held, writes })),
    }),
  );
});
await new Promise<void>((resolve) => reports.listen(0, "127.0.0.1", resolve));

const end = () => process.exit(0);
process.on("SIGTERM", end);
process.stdin.on("end", end).on("error", end).resume();
const reportPort = (reports.address() as AddressInfo).port;
process.stdout.write(`${JSON.stringify({ host: server.host, port: server.port, reportPort })}\n`);
