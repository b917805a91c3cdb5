import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { makeProgram } from "@penstock/cli";
import { generatedPage, markdownTable } from "./markdown.ts";
import { everyCommand, optionTable } from "./reference-cli.ts";
import { repositoryFiles, root } from "./repository.ts";

/** What each variable does; the generator refuses to run when the code reads one that is not here. */
const variables: Readonly<Record<string, string>> = {
  PENSTOCK_SERVER: "the cloud to talk to, as `--server`",
  PENSTOCK_TOKEN: "the login's token, instead of the remembered one",
  PENSTOCK_TENANT: "the tenant to work in, as `--tenant`",
  PENSTOCK_PASSWORD: "what `penstock login` uses instead of asking",
  PENSTOCK_BROKER_PASSWORD: "password of `penstock edge --broker`",
  PENSTOCK_SMTP_URL:
    "mail server of `penstock cloud` for notices of alarms: `smtp://user:password@host:587`, or `smtps://`",
  XDG_CONFIG_HOME: "where the login is remembered (`penstock/context.json` in it); `~/.config` unless set",
};

/** The settings of the programs that keep running. There is no settings file: what is not here is a resource. */
export function settingsReference(): string {
  const programs = everyCommand(makeProgram()).filter((c) => ["up", "cloud", "edge"].includes(c.name()));
  const read = variablesRead();
  const unknown = read.filter((name) => !(name in variables));
  if (unknown.length > 0) throw new Error(`tools/reference-settings.ts says nothing about ${unknown.join(", ")}`);
  return generatedPage("Settings", "the options of `packages/cli/src/commands`", [
    "The programs that keep running take their settings from the command line alone. Everything else (devices,",
    "connections, retention, time zones) is a resource, changed while they run.",
    ...programs.flatMap((command) => ["", `## penstock ${command.name()}`, "", ...optionTable(command.options)]),
    "",
    "## Environment",
    "",
    "Options go before variables, variables before `penstock up` in the same folder, that before the last `penstock login`.",
    "",
    ...markdownTable(
      ["variable", "is"],
      read.map((name) => [`\`${name}\``, variables[name]!]),
    ),
  ]);
}

function variablesRead(): string[] {
  const names = new Set<string>();
  for (const path of repositoryFiles()) {
    if (!path.startsWith("packages/cli/src/") || path.endsWith(".test.ts")) continue;
    const text = readFileSync(resolve(root, path), "utf8");
    for (const [, name] of text.matchAll(/process\.env\.([A-Z_]+)/g)) names.add(name!);
    for (const [, list] of text.matchAll(/const \{([^}]*)\} = process\.env/g))
      for (const [name] of list!.matchAll(/[A-Z_]{3,}/g)) names.add(name);
  }
  return Object.keys(variables)
    .filter((name) => names.has(name))
    .concat([...names].filter((n) => !(n in variables)));
}
