import { bool, defineMapper, int, oneOf, placeFields, transportRules } from "@penstock/mapper-sdk";
import { ModbusConnection } from "./connection.ts";
import { placeOf, transports } from "./open-line.ts";
import { addressFields, visitorFields } from "./point.ts";
import { pointLength, visitorRules } from "./point-rules.ts";
import { readCost } from "./read-cost.ts";
import { serverFields, serverRules } from "./server/fields.ts";
import { openServer } from "./server/open-server.ts";
import { SharedLines } from "./shared-lines.ts";

const lines = new SharedLines();

export const modbus = defineMapper({
  name: "modbus",
  summary: "Reads and writes coils and registers of Modbus devices, by TCP, RTU or ASCII",
  version: "0.1.0",
  connection: {
    transport: oneOf([...transports], {
      default: "tcp",
      summary: "Modbus TCP; RTU or ASCII on a serial port; RTU frames over TCP, as simple gateways carry them",
    }),
    ...placeFields({ port: 502 }),
    localEcho: bool({
      default: false,
      summary: "The RS-485 adapter hands back what is sent: it is compared byte by byte and taken away",
    }),
    maxGap: int({
      min: 0,
      max: 125,
      default: 125,
      summary: "Most registers (16 bits each) read in vain to save a request, where that is cheaper on this line",
    }),
    ...serverFields,
  },
  address: addressFields,
  visitor: visitorFields,
  extent: {
    space: ["address.unitId", "visitor.table"],
    start: "visitor.offset",
    length: pointLength,
    size: 65536,
    ...{ part: "visitor.bit", partLength: "visitor.bits", partsOfPlace: 16 },
  },
  cost: readCost,
  rules: [
    ...transportRules({ network: ["tcp", "rtu-over-tcp"], serial: ["rtu", "ascii"] }),
    {
      when: { field: "connection.transport", in: ["tcp", "rtu-over-tcp"] },
      refuse: ["connection.localEcho"],
      because: "only an adapter on a serial port hears itself",
    },
    ...visitorRules,
    ...serverRules,
  ],
  permissions: ["network", "serial"],
  open: async (settings, context) => {
    if (settings.role === "server") return openServer(placeOf(settings), settings, context);
    const lease = await lines.acquire(placeOf(settings), context);
    return new ModbusConnection(lease, { settings, line: context.line, clock: context.clock });
  },
});
