import { type Bench, row } from "../bench.ts";
import { type Forked, forkBench } from "../line/forked.ts";
import { readBare } from "./bare-socket.ts";
import { readMapper } from "./read-mapper.ts";
import { registersEachRequest } from "./register-table.ts";
import type { ServerAnswer } from "./server-process.ts";

interface Rate {
  /** counted by the server */
  readonly requestsPerSecond: number;
  readonly valuesPerSecond: number;
}

/** The Modbus mapper alone, from request to decoded value, against a socket that does the same reads and no more. */
export const modbusWire: Bench = {
  name: "modbus-wire",
  async *run({ smoke, say }) {
    const milliseconds = smoke ? 50 : 3000;
    const server = forkBench<"state", ServerAnswer>("../modbus-wire/server-process.ts");
    const { port } = await server.ask("state");
    const mapper = (inFlight: number, isPerTag: boolean) =>
      measure(server, async () => readMapper({ port, inFlight, isPerTag, milliseconds }));
    const bare = (inFlight: number) =>
      measure(server, async () => registersEachRequest * (await readBare({ port, inFlight, milliseconds })));
    try {
      // Once in vain, so that neither side is measured while it is still being compiled.
      await mapper(1, false);
      await bare(1);
      for (const inFlight of [1, 8]) {
        say(`${inFlight} in flight`);
        const [ours, ceiling] = [await mapper(inFlight, false), await bare(inFlight)];
        yield row({
          ...{ bench: "modbus-wire", metric: `requests-${inFlight}-in-flight`, unit: "requests/s" },
          ...{ value: ours.requestsPerSecond, baseline: "bare socket", baselineValue: ceiling.requestsPerSecond },
        });
        if (inFlight > 1) continue;
        const perTag = await mapper(inFlight, true);
        yield row({
          ...{ bench: "modbus-wire", metric: "values-1-in-flight", unit: "values/s" },
          ...{ value: ours.valuesPerSecond, baseline: "one read per tag", baselineValue: perTag.valuesPerSecond },
        });
      }
    } finally {
      await server.stop();
    }
  },
};

async function measure(server: Forked<"state", ServerAnswer>, read: () => Promise<number>): Promise<Rate> {
  const before = (await server.ask("state")).requests;
  const began = performance.now();
  const values = await read();
  const seconds = (performance.now() - began) / 1000;
  const { requests } = await server.ask("state");
  return { requestsPerSecond: (requests - before) / seconds, valuesPerSecond: values / seconds };
}
