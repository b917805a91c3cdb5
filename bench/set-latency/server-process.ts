/** The plant of set-latency: the testkit's Modbus server in a process of its own. */
import { MemoryUnit, ModbusServer } from "@penstock/testkit";
import { serveBench } from "../line/forked.ts";
import { devices, firstUnit, floatsEach, setOffset, setUnit } from "./shape.ts";

export interface PlantAnswer {
  readonly port: number;
  /** float32 values answered to the gateway and to whoever else asked */
  readonly values: number;
  /** what the device holds that is set */
  readonly held: number;
}

const set = new MemoryUnit({ holding: setOffset + 2 });
const units = new Map([[setUnit, set]]);
for (let i = 0; i < devices; i++) units.set(firstUnit + i, new MemoryUnit({ holding: floatsEach * 2 }));
const server = await ModbusServer.listen({ units });

serveBench<"state", PlantAnswer>(
  async () => {
    const words = Uint16Array.of(set.holding[setOffset + 1]!, set.holding[setOffset]!);
    const held = new Float32Array(words.buffer)[0]!;
    return { port: server.port, values: server.stats.registersRead / 2, held };
  },
  () => server.close(),
);
