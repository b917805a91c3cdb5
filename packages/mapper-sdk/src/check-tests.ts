import { shown } from "@penstock/model";
import type { MapperFinding } from "./check-finding.ts";
import { runNode } from "./check-module.ts";
import { isTestModule, modulesBelow } from "./check-sources.ts";

const patienceMs = 300_000;
const oneTestMs = 60_000;

interface Tested {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** first line of what was said of a failure */
  readonly why: string;
}

/** Runs the tests of a mapper's folder, the kit's conformance suite among them. */
export async function checkTests(folder: string, mapper: string): Promise<MapperFinding[]> {
  const files = (await modulesBelow(folder)).filter((path) => isTestModule(path) && /\.test\.\w+$/.test(path));
  const suite = { field: "test", what: "conformance" };
  const missing = { ...suite, level: "missing" as const };
  if (files.length === 0) return [{ ...missing, value: "(none)", rule: "must call conformance() of the kit" }];
  const args = ["--test", "--test-reporter=tap", `--test-timeout=${oneTestMs}`, ...files];
  const ran = await runNode(args, { folder, patienceMs });
  const tests = testsOf(ran.stdout);
  const findings = tests
    .filter(({ outcome }) => outcome !== "passed")
    .map(({ name, outcome, why }): MapperFinding => {
      const what = name.startsWith(`${mapper}: `) ? "conformance" : "tests";
      return { ...missing, what, field: name, value: outcome, rule: why === "" ? "must pass" : `must pass: ${why}` };
    });
  const kits = tests.filter(({ name }) => name.startsWith(`${mapper}: `));
  if (kits.length === 0) {
    const value = shown(files.join(", "), { field: "test", most: 60 });
    findings.push({ ...missing, value, rule: "must call conformance() of the kit with this mapper" });
  }
  if (ran.code !== 0 && findings.length === 0)
    findings.push({ ...missing, what: "tests", value: String(ran.code ?? "killed"), rule: "must end with 0" });
  if (findings.length > 0) return findings;
  const others = tests.length - kits.length;
  return [
    { ...suite, level: "ok", value: `${kits.length} passed`, rule: "stands whatever a device does" },
    { level: "ok", what: "tests", field: "test", value: `${others} passed`, rule: "its own" },
  ];
}

const result = /^(not )?ok \d+ - (.*?)(?: # (SKIP|TODO)\b ?(.*))?$/;

/** The outermost tests of what Node's runner says. @source TAP 13 */
export function testsOf(tap: string): Tested[] {
  const lines = tap.split("\n");
  return lines.flatMap((line, at): Tested[] => {
    const [whole, not, name, mark, reason] = result.exec(line) ?? [];
    if (whole === undefined) return [];
    const plain = name!.replaceAll(/\\([\\#])/g, "$1");
    if (mark !== undefined) return [{ name: plain, outcome: "skipped", why: reason ?? "" }];
    return [
      { name: plain, outcome: not === undefined ? "passed" : "failed", why: not === undefined ? "" : whyOf(lines, at) },
    ];
  });
}

function whyOf(lines: readonly string[], at: number): string {
  const end = lines.findIndex((line, i) => i > at && line === "  ...");
  const said = lines.slice(at + 1, end < 0 ? lines.length : end);
  const error = said.findIndex((line) => line.startsWith("  error: "));
  if (error < 0) return "";
  const text = said[error]!.slice("  error: ".length);
  const first = /^[|>]/.test(text) ? (said.slice(error + 1).find((line) => line.trim() !== "") ?? "") : text;
  return first
    .trim()
    .replace(/^'(.*)'$/, "$1")
    .slice(0, 160);
}
