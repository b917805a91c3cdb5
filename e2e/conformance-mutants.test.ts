import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type ConformanceCase, checkMapper, conformanceCases, scaffoldMapper } from "@penstock/mapper-sdk";
import { runNode } from "../packages/mapper-sdk/src/check-module.ts";
import { testsOf } from "../packages/mapper-sdk/src/check-tests.ts";
import { root } from "./support/penstock.ts";

const home = mkdtempSync(join(tmpdir(), "penstock-mutants-"));
after(() => rmSync(home, { recursive: true, force: true }));
const kit = join(root, "packages/mapper-sdk");

/** A way in which somebody's driver may be wrong, as a change of one that is right. */
interface Mutant {
  readonly of: ConformanceCase;
  readonly does: string;
  readonly change: readonly (readonly [from: string, to: string])[];
  /** what the kit then says */
  readonly told: RegExp;
  /** src/connection.ts unless stated */
  readonly file?: string;
}
const took = "this.#waiting.get(answer.number)?.(answer);";
const made = "return new DeviceConnection(socket, context);";
const closes = "return this.#calls.close(() => this.#socket.destroy());";

const mutants: readonly Mutant[] = [
  {
    of: "connect",
    does: "says that it is connected when it is not",
    change: [
      ["import type { Socket }", "import { Socket }"],
      ["clock, signal });", "clock, signal }).catch(() => new Socket());"],
    ],
    told: /Expected values to be strictly equal/,
  },
  {
    of: "time-out",
    does: "takes the next answer that comes for its own",
    change: [[took, "for (const settle of [...this.#waiting.values()]) settle(answer);"]],
    told: /Expected values to be strictly deep-equal/,
  },
  {
    of: "time-out",
    does: "waits on though nobody else does",
    change: [
      [
        "await this.#calls.run(signal, async (stopped) => {",
        "await this.#calls.run(new AbortController().signal, async (stopped) => {",
      ],
    ],
    told: /The read ends: not in 10 s/,
  },
  {
    of: "wrong answer",
    does: "is content with an answer to the question after",
    change: [[took, "(this.#waiting.get(answer.number) ?? this.#waiting.get(answer.number - 1))?.(answer);"]],
    told: /"value":99/,
  },
  {
    of: "half answer",
    does: "takes what has come for all that comes",
    change: [['this.#held = lines.pop() ?? "";', 'this.#held = "";']],
    told: /"value":21\.5/,
  },
  {
    of: "garbage",
    does: "makes a good value of it",
    change: [
      [
        "const answer = parseAnswer(line);",
        'const answer = parseAnswer(line) ?? { number: this.#lastNumber, ok: true, text: "0" };',
      ],
    ],
    told: /"value":0/,
  },
  {
    of: "reconnect",
    does: "keeps to itself that the connection has ended",
    change: [["if (!this.#isClosing) this.#context.lost(this.#ended);", ""]],
    told: /Expected values to be strictly deep-equal/,
  },
  {
    of: "reconnect",
    does: "can be opened once only",
    change: [
      [made, `if (opened++ > 0) throw new AppError("mapper/connect-failed", "Open already");\n${made}`],
      ["type Settle =", "let opened = 0;\ntype Settle ="],
    ],
    told: /Open already/,
  },
  {
    of: "write refused",
    does: "does not look at the answer to a write",
    change: [["if (!answer.ok) throw", "if (answer === null) throw"]],
    told: /Expected values to be strictly equal/,
  },
  {
    of: "write refused",
    does: "leaves it to the device whether a value fits",
    file: "src/lines.ts",
    change: [["!(Math.abs(number) <= most)", "Number.isNaN(number)"]],
    told: /The write ends: not in 10 s/,
  },
  {
    of: "close in flight",
    does: "never ends",
    change: [[closes, "return new Promise(() => {});"]],
    told: /The connection is closed: not in 10 s/,
  },
  {
    of: "close in flight",
    does: "leaves its connection to the device open",
    change: [[closes, "return this.#calls.close(() => {});"]],
    told: /No connection is left: not in 10 s/,
  },
  {
    of: "close in flight",
    does: "takes its own close for a loss",
    change: [["this.#isClosing = true;", ""]],
    told: /Expected values to be strictly deep-equal/,
  },
  {
    of: "killed and restarted",
    does: "is in nobody's way but its own, by a lock that only a close takes away",
    change: [
      ["import {\n", 'import { mkdirSync, rmdirSync } from "node:fs";\nimport {\n'],
      [made, `mkdirSync(context.folder + "/lock");\n${made}`],
      ["this.#isClosing = true;", 'this.#isClosing = true;\nrmdirSync(this.#context.folder + "/lock");'],
    ],
    told: /The device is asked: not in 10 s/,
  },
  {
    of: "killed and restarted",
    does: "does not end when it is told to",
    change: [
      [
        closes,
        "setInterval(() => {}, 1000);\nprocess.exit = () => undefined as never;\nreturn this.#calls.close(() => this.#socket.destroy());",
      ],
    ],
    told: /The process ends: not in 10 s/,
  },
];

async function play({ of, change, file = "src/connection.ts" }: Mutant, at: number) {
  const name = `mutant-${at}`;
  const folder = join(home, name);
  await scaffoldMapper({ name, folder, template: join(kit, "template"), kit, taken: [] });
  const path = join(folder, file);
  let source = readFileSync(path, "utf8");
  for (const [from, to] of change) {
    assert.ok(source.includes(from), `${file} has ${from}`);
    source = source.replace(from, () => to);
  }
  writeFileSync(path, source);
  await checkMapper({ folder, kit, write: true, tests: false });
  const args = ["--test", "--test-reporter=tap", `--test-name-pattern=/: ${of}: /`, "test/conformance.test.ts"];
  const { stdout } = await runNode(args, { folder, patienceMs: 120_000 });
  return testsOf(stdout);
}

// Each costs a process or three, and those that hang the kit's patience: they wait beside each other.
describe("the conformance suite notices a mapper that", { concurrency: 4 }, () => {
  for (const [at, mutant] of mutants.entries()) {
    test(`${mutant.does} (${mutant.of})`, async () => {
      const tests = await play(mutant, at);
      const failed = tests.filter(({ outcome }) => outcome === "failed");
      assert.ok(failed.length > 0, `all pass: ${tests.map(({ name }) => name).join("\n")}`);
      assert.match(failed.map(({ why }) => why).join("\n"), mutant.told);
    });
  }
  test("and every case has such a mapper", () => {
    assert.deepEqual(
      conformanceCases.filter((of) => !mutants.some((mutant) => mutant.of === of)),
      [],
    );
  });
});
