/** The devices of modbus-collect: the testkit's Modbus server in a process of its own, which also counts what it answers. */
import { MemoryUnit, ModbusServer } from "@penstock/testkit";
import { serveBench } from "../line/forked.ts";
import { devices, firstUnit, floatsEach } from "./shape.ts";

export interface ServerAnswer {
  readonly port: number;
  readonly requests: number;
  /** float32 values answered: two registers each */
  readonly values: number;
}

const pair = new DataView(new ArrayBuffer(4));

/** Floats of which the first of each answer has changed since the one before. */
class FloatUnit extends MemoryUnit {
  #reads = 0;

  constructor() {
    super({ holding: floatsEach * 2 });
    for (let i = 0; i < floatsEach; i++) this.#set(i, i / 8);
  }

  override readRegisters(...[table, start, count]: Parameters<MemoryUnit["readRegisters"]>): Uint16Array {
    this.#set(start >> 1, (++this.#reads % 100_000) / 8);
    return super.readRegisters(table, start, count);
  }

  #set(i: number, value: number): void {
    pair.setFloat32(0, value);
    this.holding[i * 2] = pair.getUint16(0);
    this.holding[i * 2 + 1] = pair.getUint16(2);
  }
}

const units = new Map(Array.from({ length: devices }, (_, i) => [firstUnit + i, new FloatUnit()]));
const server = await ModbusServer.listen({ units });

serveBench<"state", ServerAnswer>(
  async () => ({ port: server.port, requests: server.stats.requests, values: server.stats.registersRead / 2 }),
  () => server.close(),
);
