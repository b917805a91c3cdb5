/** The device of modbus-wire: the testkit's Modbus server in a process of its own, which also counts the requests. */
import { MemoryUnit, ModbusServer } from "@penstock/testkit";
import { serveBench } from "../line/forked.ts";
import { registers, unitId } from "./register-table.ts";

export interface ServerAnswer {
  readonly port: number;
  readonly requests: number;
}

const unit = new MemoryUnit({ holding: registers });
for (let at = 0; at < registers; at++) unit.holding[at] = (at * 257) & 0xffff;
const server = await ModbusServer.listen({ units: new Map([[unitId, unit]]) });

serveBench<"state", ServerAnswer>(
  async () => ({ port: server.port, requests: server.stats.requests }),
  () => server.close(),
);
