import { needs } from "@penstock/testkit";
import { type Bench, row } from "../bench.ts";
import { type Forked, forkBench } from "../line/forked.ts";
import { readBare } from "./bare-socket.ts";
import { countRequests, measureLineTime } from "./count-requests.ts";
import { deadSlaves } from "./dead-slaves.ts";
import { mapKinds } from "./maps.ts";
import { readMapper } from "./read-mapper.ts";
import { registersEachRequest } from "./register-table.ts";
import type { ServerAnswer } from "./server-process.ts";

/** counted by the server, over all turns */
interface Total {
  requests: number;
  values: number;
  seconds: number;
}
type Server = Forked<"state", ServerAnswer>;

/** The Modbus mapper alone, from request to decoded value, against a socket that does the same reads and no more. */
export const modbusWire: Bench = {
  name: "modbus-wire",
  async *run({ smoke, say }) {
    // In short turns, so that what else the machine does meets both alike.
    const turns = smoke ? 1 : 6;
    const milliseconds = smoke ? 50 : 1000;
    const server = forkBench<"state", ServerAnswer>("../modbus-wire/server-process.ts");
    const { port } = await server.ask("state");
    const mapper = (inFlight: number, isPerTag: boolean) => () =>
      readMapper({ port, inFlight, isPerTag, milliseconds });
    const bare = (inFlight: number) => async () =>
      registersEachRequest * (await readBare({ port, inFlight, milliseconds }));
    try {
      for (const inFlight of [1, 8]) {
        say(`${inFlight} in flight`);
        // Once in vain, so that neither side is measured while it is still being compiled.
        await inTurns(server, 1, [mapper(inFlight, false), bare(inFlight)]);
        const [ours, ceiling] = await inTurns(server, turns, [mapper(inFlight, false), bare(inFlight)]);
        yield row({
          ...{ bench: "modbus-wire", metric: `requests-${inFlight}-in-flight`, unit: "requests/s" },
          ...{ value: ours!.requests / ours!.seconds, baseline: "bare socket" },
          baselineValue: ceiling!.requests / ceiling!.seconds,
        });
        if (inFlight > 1) continue;
        const [planned, perTag] = await inTurns(server, Math.ceil(turns / 3), [mapper(1, false), mapper(1, true)]);
        yield row({
          ...{ bench: "modbus-wire", metric: "values-1-in-flight", unit: "values/s" },
          ...{ value: planned!.values / planned!.seconds, baseline: "one read per tag" },
          baselineValue: perTag!.values / perTag!.seconds,
        });
      }
      for (const kind of mapKinds) {
        say(`${kind} maps`);
        const { counted, least } = await countRequests(kind, smoke ? 4 : 40);
        yield row({
          ...{
            bench: "modbus-wire",
            metric: `requests-${kind}`,
            unit: "requests",
            value: counted,
            lowerIsBetter: true,
          },
          ...{ baseline: "least, by trying every plan", baselineValue: least },
        });
      }
    } finally {
      await server.stop();
    }
    const { skip } = needs("socat");
    for (const kind of mapKinds) {
      say(`${kind} maps on a serial line`);
      const time = skip === undefined ? await measureLineTime(kind, smoke ? 1 : 4) : null;
      yield row({
        ...{ bench: "modbus-wire", metric: `line-time-${kind}`, unit: "ms", lowerIsBetter: true },
        ...{ value: time?.counted ?? null, baseline: "least, by trying every plan" },
        ...{ baselineValue: time?.least ?? null, ...(skip !== undefined && { skipped: skip }) },
      });
    }
    say("a fifth of the slaves dead");
    yield* deadSlaves({ smoke });
  },
};

async function inTurns(server: Server, turns: number, readers: readonly (() => Promise<number>)[]): Promise<Total[]> {
  const totals = readers.map((): Total => ({ requests: 0, values: 0, seconds: 0 }));
  for (let turn = 0; turn < turns; turn++) {
    for (const [i, read] of readers.entries()) {
      const total = totals[i]!;
      const before = (await server.ask("state")).requests;
      const began = performance.now();
      total.values += await read();
      total.seconds += (performance.now() - began) / 1000;
      total.requests += (await server.ask("state")).requests - before;
    }
  }
  return totals;
}
