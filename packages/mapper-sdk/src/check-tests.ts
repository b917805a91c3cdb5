import { shown } from "@penstock/model";
import type { MapperFinding } from "./check-finding.ts";
import { runNode } from "./check-module.ts";
import { isTestModule, modulesBelow } from "./check-sources.ts";
import { caseTitle, conformanceCases, notApplicableMark } from "./conformance-cases.ts";

const patienceMs = 300_000;
const oneTestMs = 120_000;

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
    .filter((one) => one.outcome !== "passed" && !isNotApplicable(one))
    .map(({ name, outcome, why }): MapperFinding => {
      const what = name.startsWith(`${mapper}: `) ? "conformance" : "tests";
      return { ...missing, what, field: name, value: outcome, rule: why === "" ? "must pass" : `must pass: ${why}` };
    });
  const kits = tests.filter(({ name }) => name.startsWith(`${mapper}: `));
  if (kits.length === 0) {
    const value = shown(files.join(", "), { field: "test", most: 60 });
    findings.push({ ...missing, value, rule: "must call conformance() of the kit with this mapper" });
  } else findings.push(...lacking(mapper, kits));
  if (ran.code !== 0 && findings.length === 0)
    findings.push({ ...missing, what: "tests", value: String(ran.code ?? "killed"), rule: "must end with 0" });
  const declared = kits.filter(isNotApplicable).map(
    ({ name, why }): MapperFinding => ({
      ...{ level: "note", what: "conformance", field: name.slice(`${mapper}: `.length), value: "not applicable" },
      rule: why.slice(notApplicableMark.length),
    }),
  );
  if (findings.length > 0) return [...findings, ...declared];
  const others = tests.length - kits.length;
  const played = kits.length - declared.length;
  return [
    { ...suite, level: "ok", value: `${played} passed`, rule: "stands whatever a device does" },
    ...declared,
    { level: "ok", what: "tests", field: "test", value: `${others} passed`, rule: "its own" },
  ];
}

/** The mapper says so itself, and the kit has let it. */
function isNotApplicable({ outcome, why }: Tested): boolean {
  return outcome === "skipped" && why.startsWith(notApplicableMark);
}

/** Cases of the suite that nobody has played: the tests call another kit's, or leave some out. */
function lacking(mapper: string, kits: readonly Tested[]): MapperFinding[] {
  return conformanceCases
    .filter((of) => !kits.some(({ name }) => name.startsWith(caseTitle(mapper, of))))
    .map((of) => ({
      ...{ level: "missing", what: "conformance", field: of, value: "(not played)" },
      rule: "must be played by conformance() of the kit",
    }));
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
