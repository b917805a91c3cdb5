import { needs } from "@penstock/testkit";
import { type BenchRow, row } from "../bench.ts";
import { readSlaveLines, type SlaveLineFigures } from "./read-slave-lines.ts";
import { lineTransports } from "./slave-lines.ts";

/** Of a line's time, silent devices get at most this much while others answer (edge/src/collect/line.ts). */
const mostForSilent = 20;

/** What a fifth of dead slaves costs the others on their line, counted where the requests arrive. */
export async function* deadSlaves(options: { readonly smoke: boolean }): AsyncGenerator<BenchRow> {
  const { skip } = needs("socat");
  const transports = lineTransports.filter((transport) => transport === "tcp" || skip === undefined);
  const settleMs = options.smoke ? 1500 : 10_000;
  const watchMs = options.smoke ? 500 : 40_000;
  const figures = await readSlaveLines({ transports, settleMs, watchMs });
  for (const transport of lineTransports) {
    const [all, some] = [figures.get(`${transport}-all-living`), figures.get(`${transport}-some-dead`)];
    const figure = (of: SlaveLineFigures | undefined, value: (of: SlaveLineFigures) => number) =>
      of === undefined ? null : value(of);
    const common = { bench: "modbus-wire", ...(skip !== undefined && transport === "rtu" && { skipped: skip }) };
    yield row({
      ...{ ...common, metric: `dead-slaves-values-${transport}`, unit: "values/s" },
      ...{ value: figure(some, ({ values }) => values), baseline: "the same slaves on a line where all live" },
      baselineValue: figure(all, ({ values }) => values),
    });
    yield row({
      ...{ ...common, metric: `dead-slaves-time-${transport}`, unit: "% of the line's time", lowerIsBetter: true },
      ...{ value: figure(some, ({ deadMs, seconds }) => deadMs / seconds / 10), baseline: "most that is promised" },
      baselineValue: mostForSilent,
    });
    yield row({
      ...{ ...common, metric: `dead-slaves-gap-${transport}`, unit: "ms", lowerIsBetter: true },
      ...{ value: figure(some, ({ longestGapMs }) => longestGapMs), baseline: "longest gap on a line where all live" },
      baselineValue: figure(all, ({ longestGapMs }) => longestGapMs),
    });
  }
}
