import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { formatOf } from "../output.ts";
import { clean } from "../print-table.ts";
import { readingTimeText } from "../time-cell.ts";
import { unitsOf } from "../units-of.ts";
import { valueText } from "../value-cell.ts";

export function watchCommand(program: Command): void {
  program
    .command("watch [device...]")
    .description("print readings, desired values and alarms as they come, until interrupted")
    .option("-p, --property <name...>", "only these properties")
    .option("-n, --count <number>", "stop after this many readings")
    .option("-o, --output <format>", "json: one object a line")
    .action(
      async (
        devices: string[],
        options: { property?: string[]; count?: string; output?: string },
        command: Command,
      ) => {
        const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
        const json = formatOf(options.output) !== "text";
        const unitOf = unitsOf(client, context.tenant);
        let left = options.count === undefined ? Number.POSITIVE_INFINITY : Number(options.count);
        const abort = new AbortController();
        process.once("SIGINT", () => abort.abort());
        const query = {
          ...(devices.length > 0 && { device: devices }),
          ...(options.property !== undefined && { property: options.property }),
        };
        try {
          for await (const { event, data } of client.live.stream({
            params: { tenant: context.tenant },
            query,
            signal: abort.signal,
          })) {
            if (event === "readings") {
              for (const r of data.readings) {
                if (left <= 0) return;
                left -= 1;
                console.log(
                  json
                    ? JSON.stringify({ event: "reading", ...r })
                    : `${readingTimeText(r.time)}  ${r.device}.${r.property}  ${clean(valueText(r.value, await unitOf(r.device, r.property)))}  ${r.quality}${r.reason === null ? "" : ` ${r.reason}`}`,
                );
              }
            } else if (json) console.log(JSON.stringify({ ...data, event }));
            else if (event === "twin")
              console.log(
                `${readingTimeText(data.updatedAt)}  ${data.device}.${data.property}  desired ${clean(valueText(data.value, await unitOf(data.device, data.property)))}: ${data.state}${data.reason === null ? "" : ` ${data.reason}`}`,
              );
            else if (event === "alarm")
              console.log(
                `${readingTimeText(data.lastAt)}  ${data.severity} ${data.source === "rule" ? `${data.rule}/${data.alarm} ${data.state}` : data.code}: ${clean(data.message)}`,
              );
            else console.log(`${data.events} events were left out because this terminal is too slow`);
            if (left <= 0) return;
          }
        } catch (error) {
          if (!abort.signal.aborted) throw error;
        } finally {
          abort.abort();
        }
      },
    );
}
