import { makeProgram } from "@penstock/cli";
import type { Command, Option } from "commander";
import { generatedPage, markdownTable } from "./markdown.ts";

/** Every command with what it takes, in the order of `penstock --help`. */
export function cliReference(): string {
  const program = makeProgram();
  return generatedPage("Command line", "the commands in `packages/cli/src/commands`", [
    "In a clone: `npx penstock COMMAND`. `penstock COMMAND --help` says the same as this page; exit codes are in",
    "`exit-codes.md`. These options stand before any command:",
    "",
    ...optionTable(program.options),
    ...everyCommand(program).flatMap(commandLines),
  ]);
}

export function everyCommand(parent: Command): Command[] {
  return parent.commands.flatMap((command) => [command, ...everyCommand(command)]);
}

export function optionTable(options: readonly Option[]): string[] {
  return markdownTable(
    ["option", "default", "what"],
    options.map((option) => [`\`${option.flags}\``, defaultText(option), option.description]),
  );
}

function commandLines(command: Command): string[] {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name());
  const words = [
    "penstock",
    ...names,
    ...command.registeredArguments.map((argument) => {
      const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
      return argument.required ? `<${name}>` : `[${name}]`;
    }),
  ];
  const { options } = command;
  return [
    "",
    `## \`${words.join(" ")}\``,
    "",
    sentence(command.description()),
    ...(options.length === 0 ? [] : ["", ...optionTable(options)]),
  ];
}

function defaultText(option: Option): string {
  if (option.mandatory) return "must be given";
  if (option.negate) return "";
  const value: unknown = option.defaultValue;
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return "";
  return `\`${String(value)}\``;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
