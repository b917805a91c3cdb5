/** `npm run bench -- [name…] [--json] [--smoke] [--outage-minutes N] [--data-dir PATH]`; see README.md here. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Bench, BenchRow } from "./bench.ts";
import { catchUp } from "./catch-up.ts";
import { dmi } from "./dmi/dmi.ts";
import { ingest } from "./ingest.ts";
import { memory } from "./memory/memory.ts";
import { modbusCollect } from "./modbus-collect/modbus-collect.ts";
import { modbusWire } from "./modbus-wire/modbus-wire.ts";
import { opcua } from "./opcua/opcua.ts";
import { rulesFilter, rulesJoin, rulesShared, rulesWindow } from "./rules/rules.ts";
import { rulesMany } from "./rules/rules-8000.ts";
import { rulesFilterMqtt } from "./rules/rules-filter-mqtt.ts";
import { seriesSize } from "./series-size.ts";
import { setLatency } from "./set-latency/set-latency.ts";

const benches: readonly Bench[] = [
  ...[seriesSize, modbusWire, modbusCollect, setLatency, opcua, dmi, ingest, memory, catchUp],
  ...[rulesFilter, rulesFilterMqtt, rulesShared, rulesWindow, rulesJoin, rulesMany],
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    smoke: { type: "boolean", default: false },
    "outage-minutes": { type: "string", default: "10" },
    "data-dir": { type: "string", default: tmpdir() },
  },
});
const outageMinutes = Number(values["outage-minutes"]);
if (!(outageMinutes > 0)) usage(`--outage-minutes "${values["outage-minutes"]}": not a number above 0`);
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
if (unknown.length > 0)
  usage(`"${unknown.join(" ")}": the benches are ${benches.map((bench) => bench.name).join(", ")}`);

for (const bench of benches) {
  if (positionals.length > 0 && !positionals.includes(bench.name)) continue;
  mkdirSync(resolve(values["data-dir"]), { recursive: true });
  const folder = mkdtempSync(join(resolve(values["data-dir"]), `penstock-bench-${bench.name}-`));
  try {
    const say = (text: string) => process.stderr.write(`${bench.name}: ${text}\n`);
    for await (const row of bench.run({ smoke: values.smoke, folder, outageMinutes, say })) {
      console.log(values.json ? JSON.stringify(row) : readable(row));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readable(row: BenchRow): string {
  const { bench, metric, value, unit, baseline, baselineValue, ratio, skipped } = row;
  const left = `${bench.padEnd(12)} ${metric.padEnd(34)} ${number(value).padStart(12)} ${unit.padEnd(16)}`;
  const right = baseline === "" ? "" : ` ${number(baselineValue).padStart(12)} ${baseline}`;
  const compared = ratio === null ? "" : ` = ${ratio}${row.lowerIsBetter === true ? ", lower is better" : ""}`;
  return `${left}${right}${compared}${skipped === undefined ? "" : ` (skipped: ${skipped})`}`;
}

function number(value: number | null): string {
  return value === null ? "-" : value.toLocaleString("en", { maximumSignificantDigits: 4 });
}

function usage(problem: string): never {
  process.stderr.write(`Invalid ${problem}\n`);
  process.exit(2);
}
