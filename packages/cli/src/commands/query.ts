import { aggregates } from "@penstock/api";
import { invalid } from "@penstock/model";
import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { readingTimeText } from "../time-cell.ts";
import { roundedText, valueText } from "../value-cell.ts";

type Aggregate = (typeof aggregates)[number];

export function queryCommand(program: Command): void {
  program
    .command("query <device> <property>")
    .description("stored readings, raw or down-sampled")
    .option("--from <time>", "RFC 3339 or a duration before now", "-1h")
    .option("--to <time>", "RFC 3339 or now", "now")
    .option("--points <number>", "at most this many", "1000")
    .option("--aggregate <name>", aggregates.join(", "), "raw")
    .option("-o, --output <format>", "json or yaml")
    .action(
      async (
        device: string,
        property: string,
        options: { from: string; to: string; points: string; aggregate: string; output?: string },
        command: Command,
      ) => {
        const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
        if (!(aggregates as readonly string[]).includes(options.aggregate)) {
          const field = {
            field: "--aggregate",
            value: options.aggregate,
            rule: `must be one of ${aggregates.join(", ")}`,
          };
          throw invalid([field]);
        }
        const result = await client.series.query({
          params: { tenant: context.tenant, device, property },
          query: {
            from: options.from,
            to: options.to,
            points: Number(options.points),
            aggregate: options.aggregate as Aggregate,
          },
        });
        print(formatOf(options.output), result, () => {
          const value = options.aggregate === "raw" ? valueText : roundedText;
          const rows = result.points.map((p) => [
            readingTimeText(p.time),
            value(p.value, result.unit),
            p.quality,
            p.reason ?? "-",
          ]);
          const table = tableText(["time", property, "quality", "reason"], rows);
          return result.truncated
            ? `${table}\n(more readings than --points ${options.points}; raise it, narrow the time or use --aggregate)`
            : table;
        });
      },
    );
}
