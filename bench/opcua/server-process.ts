/** The server of the opcua bench in a process of its own: 1,000 items, each with another value every 100 ms. */
import { PlantServer } from "../../packages/mappers/opcua/test/plant-server.ts";
import { serveBench } from "../line/forked.ts";
import { everyMs, items } from "./shape.ts";

export interface ServerAnswer {
  readonly port: number;
  readonly changes: number;
}

const plant = await PlantServer.start({ counters: items });
let rounds = 0;
const changing = setInterval(() => plant.raise(++rounds), everyMs);
serveBench<"state", ServerAnswer>(
  async () => ({ port: plant.port, changes: rounds * items }),
  async () => {
    clearInterval(changing);
    await plant.stop();
  },
);
