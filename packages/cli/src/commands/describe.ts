import { stringifyExact } from "@penstock/model";
import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { kindOfWord, paramsOf, verbsOf } from "../kind-names.ts";
import { mappersNamed, mapperText } from "../mapper-text.ts";
import { formatOf, print, yamlText } from "../output.ts";
import { tableText } from "../print-table.ts";
import { timeText } from "../time-cell.ts";
import { valueText } from "../value-cell.ts";
import { wantedTable } from "../wanted-table.ts";
import { alarmHistoryTable, alarmNamed } from "./alarm.ts";

export function describeCommand(program: Command): void {
  program
    .command("describe <kind> <name>")
    .description(
      "everything about one resource; of a device also its values, and where each of its fields comes from; of a mapper what its devices may state; of an alarm its history",
    )
    .option("-o, --output <format>", "json or yaml")
    .action(async (word: string, name: string, options: { output?: string }, command: Command) => {
      const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
      if (/^mappers?$/i.test(word)) {
        const mappers = await mappersNamed(client, context.tenant, name);
        print(formatOf(options.output), mappers, () => mappers.map(mapperText).join("\n\n"));
        return;
      }
      if (/^alarms?$/i.test(word)) {
        const alarm = await alarmNamed(client, context.tenant, name);
        const params = { tenant: context.tenant, id: alarm.id };
        const { items } = await client.alarms.history({ params, query: { limit: 1000 } });
        const text = () => `${yamlText(alarm).trimEnd()}\n\n${alarmHistoryTable(items)}`;
        print(formatOf(options.output), { ...alarm, history: items }, text);
        return;
      }
      const kind = kindOfWord(word);
      const found = await verbsOf(client, kind).get({ params: paramsOf(kind, context.tenant, name) });
      const twin =
        kind === "devices" ? await client.twins.get({ params: { tenant: context.tenant, device: name } }) : null;
      const effective =
        kind === "devices"
          ? await client.modelling.effective({ params: { tenant: context.tenant, device: name } })
          : null;
      const all = { ...found, twin: twin?.properties, effective: effective?.fields };
      print(formatOf(options.output), twin === null ? found : all, () => {
        const parts = [yamlText(found).trimEnd()];
        if (twin !== null) {
          const rows = twin.properties.map((p) => [
            p.property,
            valueText(p.reported?.value, p.unit),
            p.reported?.quality ?? "-",
            p.reported?.reason ?? "-",
            timeText(p.reported?.time),
            p.desired === null
              ? "-"
              : `${valueText(p.desired.value, null)} (${p.desired.state}${p.desired.reason === null ? "" : `, ${p.desired.reason}`})`,
          ]);
          parts.push("", tableText(["property", "value", "quality", "reason", "time", "desired"], rows));
          const wanted = wantedTable(twin.properties);
          if (wanted !== null) parts.push("", wanted);
        }
        if (effective !== null) {
          const rows = effective.fields.map(({ field, value, origin, from }) => [
            field,
            stringifyExact(value),
            from === null ? origin : `${origin} ${from}`,
          ]);
          parts.push("", tableText(["field", "value", "from"], rows));
        }
        return parts.join("\n");
      });
    });
}
