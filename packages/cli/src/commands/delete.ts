import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { kindOfWord, paramsOf, verbsOf } from "../kind-names.ts";

export function deleteCommand(program: Command): void {
  program
    .command("delete <kind> <name>")
    .description("delete one resource that nothing refers to; stored readings stay until their retention ends")
    .action(async (word: string, name: string, _options: unknown, command: Command) => {
      const { client, context } = connect(command.optsWithGlobals() as ContextFlags);
      const kind = kindOfWord(word);
      const params = paramsOf(kind, context.tenant, name);
      const verbs = verbsOf(client, kind);
      const found = await verbs.get({ params });
      await verbs.remove({ params, ifMatch: found.metadata.resourceVersion });
      console.log(`${found.kind} "${name}" deleted`);
    });
}
