import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { freeFolders, importTable, type PackageRule } from "./import-table.ts";
import { root } from "./repository.ts";

const section = /(<!-- generated from tools\/import-table\.ts [^\n]*: begin -->\n)[\s\S]*?(<!-- generated: end -->)/;

/** ARCHITECTURE.md with its import table as `tools/import-table.ts` has it now. @throws Error when the markers are gone */
export function architecture(): string {
  const text = readFileSync(resolve(root, "ARCHITECTURE.md"), "utf8");
  if (!section.test(text)) throw new Error("ARCHITECTURE.md has lost the markers of its generated import table");
  return text.replace(section, (_, begin: string, end: string) => `${begin}\n${importSection()}\n${end}`);
}

function importSection(): string {
  const rows = Object.entries(importTable).map(
    ([name, rule]) => `| ${name} | ${listOf(rule.may)} | ${listOf(rule.lazily ?? [])} | ${furtherRules(rule)} |`,
  );
  return [
    "`tools/check-imports.ts` enforces this table. Third-party libraries are free except where a row says otherwise.",
    "",
    "| package | may import | loads when needed | further |",
    "|---|---|---|---|",
    ...rows,
    `| ${freeFolders.join(", ")} | anything | | imported by nothing |`,
    "",
  ].join("\n");
}

function furtherRules(rule: PackageRule): string {
  const parts = [
    ...(rule.staged === true ? ["folders of `src/` never import each other"] : []),
    ...Object.entries(rule.stageOnly ?? {}).map(([stage, names]) => `only \`${stage}/\` imports ${listOf(names)}`),
    ...(rule.sharedTypes ?? []).map((file) => `every stage may import types of \`${file}\``),
    ...(rule.libraries === undefined ? [] : [`no library but ${listOf(rule.libraries)}`]),
    ...(rule.noNode === true ? ["no `node:*`"] : []),
  ];
  return parts.join("; ");
}

function listOf(names: readonly string[]): string {
  return names.join(", ");
}
