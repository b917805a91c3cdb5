import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  type ConformancePart,
  caseTitle,
  conformanceCases,
  conformanceParts,
  type NotApplicable,
  notApplicableMark,
} from "@penstock/mapper-sdk";
import { manifestFile } from "@penstock/model";
import { testsOf } from "../packages/mapper-sdk/src/check-tests.ts";
import { generatedPage, markdownTable } from "./markdown.ts";
import { root } from "./repository.ts";

const folder = "packages/mappers";
export const conformanceFile = "src/conformance.test.ts";
/** beside a mapper that has no line: what it cannot play, and why */
const declaredFile = "test/not-applicable.ts";
const parts = Object.keys(conformanceParts) as ConformancePart[];

/** Every mapper that comes with Penstock, by folder, with what it declares not applicable. */
export async function mappersWithDeclared(): Promise<Map<string, NotApplicable>> {
  const names = readdirSync(resolve(root, folder)).filter((name) =>
    existsSync(resolve(root, folder, name, manifestFile)),
  );
  const found = new Map<string, NotApplicable>();
  for (const name of names.sort()) {
    const path = resolve(root, folder, name, declaredFile);
    const declared = existsSync(path) ? ((await import(path)) as { notApplicable: NotApplicable }).notApplicable : {};
    found.set(name, declared);
  }
  return found;
}

export function conformancePath(mapper: string): string {
  return join(resolve(root, folder, mapper), conformanceFile);
}

/**
 * Holds what Node's runner said of a mapper's suite against what it is to have played.
 *
 * @param tap  the output of its conformance test
 * @returns each part that was not played as it should, one sentence each
 */
export function unplayed(mapper: string, declared: NotApplicable, tap: string): string[] {
  const tests = testsOf(tap);
  return parts.flatMap((part) => {
    const { of, says } = conformanceParts[part];
    const name = caseTitle(mapper, of) + says;
    const wanted = declared[part] === undefined ? "passed" : `skipped ${notApplicableMark}${declared[part]}`;
    const found = tests.filter((one) => one.name === name).map(({ outcome, why }) => `${outcome} ${why}`.trim());
    return found.length === 1 && found[0] === wanted
      ? []
      : [`${name}: ${found.join(", ") || "not there"}, not ${wanted}`];
  });
}

/** docs/reference/mappers/conformance.md; `conformance.test.ts` runs every suite and holds it to this. */
export async function conformancePage(): Promise<string> {
  const mappers = await mappersWithDeclared();
  const rows = [...mappers].map(([mapper, declared]) => [
    mapper,
    ...conformanceCases.map((of) => {
      if (!existsSync(conformancePath(mapper))) return "missing";
      const own = parts.filter((part) => conformanceParts[part].of === of);
      const left = own.filter((part) => declared[part] !== undefined);
      return left.length === 0 ? "passes" : left.length < own.length ? "passes in part" : "not applicable";
    }),
  ]);
  const reasons = [...mappers].flatMap(([mapper, declared]) =>
    parts
      .filter((part) => declared[part] !== undefined)
      .map((part) => [mapper, conformanceParts[part].of, conformanceParts[part].says, declared[part]!]),
  );
  return generatedPage("What every mapper stands", "the conformance suite of the mapper kit", [
    "A device that is late, wrong, broken or gone, and a mapper's process that is killed: one suite plays them to every mapper, and",
    "a test runs all of it for each and holds the outcome to this page.",
    "",
    ...markdownTable(["mapper", ...conformanceCases], rows),
    "",
    "## The tests of each case",
    "",
    ...markdownTable(
      ["case", "test"],
      parts.map((part) => [conformanceParts[part].of, conformanceParts[part].says]),
    ),
    "",
    "## What does not apply, and why",
    "",
    "A mapper that may use anything outside its own process has a line: it can only declare that nobody listens, that connections end or",
    "that writes are refused. The suite fails for any other.",
    "",
    ...markdownTable(["mapper", "case", "test", "because"], reasons),
  ]);
}
