import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";

export function browseCommand(program: Command): void {
  program
    .command("browse <connection> [path...]")
    .description("show what lies at the other end of a connection, below a path: its gateway asks now")
    .option("-o, --output <format>", "json or yaml")
    .action(async (connection: string, path: string[], options: { output?: string }, command: Command) => {
      const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
      const { nodes } = await client.browse.connection({
        params: { tenant: context.tenant, connection },
        query: { path },
      });
      print(formatOf(options.output), nodes, () => {
        if (nodes.length === 0) return "Nothing lies there";
        const rows = nodes.map(({ name, type, access, unit, visitor, description, hasChildren }) => [
          hasChildren === true ? `${name}/` : name,
          type ?? "",
          access ?? "",
          unit ?? "",
          visitor === undefined ? "" : JSON.stringify(visitor),
          description ?? "",
        ]);
        return tableText(["name", "type", "access", "unit", "visitor", "description"], rows);
      });
    });
}
