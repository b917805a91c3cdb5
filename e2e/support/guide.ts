import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cliMain } from "./penstock.ts";

/** A piece of a guide that does something; prose is for people. */
export type GuideStep =
  | { readonly t: "file"; readonly line: number; readonly path: string; readonly text: string }
  | {
      readonly t: "commands";
      readonly line: number;
      readonly text: string;
      /** "runs": it stays; "stopped": everything that stayed is stopped before */
      readonly how: "once" | "runs" | "stopped";
      readonly expected: readonly string[];
    };

const fence = /^```(\S*)([^\n]*)\n(.*?)^```$/gms;
const fileName = /`([^`]+)`:\s*$/;

/**
 * Reads the steps of a guide. A `sh` block is run; `sh runs` keeps running beside the others; `sh stopped` runs after
 * those have been stopped. A `text` block after it is what it prints: `…` stands for anything, `<name>` for a word
 * that later commands use. A `yaml` block after "`name`:" is a file.
 */
export function guideSteps(markdown: string): GuideStep[] {
  const steps: GuideStep[] = [];
  let end = 0;
  for (const block of markdown.matchAll(fence)) {
    const [whole, language, info, text] = block;
    const before = markdown.slice(end, block.index);
    const line = markdown.slice(0, block.index).split("\n").length;
    end = block.index + whole.length;
    const last = steps.at(-1);
    if (language === "sh") {
      const word = info!.trim();
      if (word !== "" && word !== "runs" && word !== "stopped") throw new Error(`Line ${line}: unknown mark "${word}"`);
      steps.push({ t: "commands", line, text: text!, how: word === "" ? "once" : word, expected: [] });
    } else if (language === "text" && last?.t === "commands") {
      steps[steps.length - 1] = { ...last, expected: text!.split("\n").filter((l) => l.trim() !== "") };
    } else if (language === "yaml") {
      const path = fileName.exec(before)?.[1];
      if (path !== undefined) steps.push({ t: "file", line, path, text: text! });
    }
  }
  return steps;
}

/** One step over what was printed: the lines in order, blanks alike. @returns the words that `<name>` stood for; null when a line is missing */
export function matchOutput(expected: readonly string[], output: string): Record<string, string> | null {
  const words: Record<string, string> = {};
  const lines = output.split("\n").map(squeeze);
  let at = 0;
  for (const wanted of expected) {
    const names: string[] = [];
    const source = squeeze(wanted)
      .split(/(…|<\w+>)/)
      .map((part) => {
        if (part === "…") return ".*";
        if (!/^<\w+>$/.test(part)) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
        names.push(part);
        return "(\\S+)";
      })
      .join("");
    const found = lines.findIndex((line, i) => i >= at && new RegExp(`^${source}$`).test(line));
    if (found < 0) return null;
    new RegExp(`^${source}$`)
      .exec(lines[found]!)!
      .slice(1)
      .forEach((word, i) => {
        words[names[i]!] = word;
      });
    at = found + 1;
  }
  return words;
}

function squeeze(line: string): string {
  return line.trim().replaceAll(/\s+/g, " ");
}

/** Reads only, so it may be asked again until the answer has arrived. */
const isQuestion = /^(npx penstock (get|describe|query|doctor|browse|why)\b.*\n?)+$/;
const patienceMs = 60_000;

/** Runs guides as a reader would, in one folder, with `substitutes` in place of what the guide names. */
export class GuideRun {
  readonly #folder: string;
  readonly #substitutes: ReadonlyMap<string, string>;
  readonly #words = new Map<string, string>();
  readonly #running: { readonly child: ChildProcess; readonly printed: () => string }[] = [];

  constructor(options: { readonly folder: string; readonly substitutes: ReadonlyMap<string, string> }) {
    this.#folder = options.folder;
    this.#substitutes = options.substitutes;
    const [tls, plain, mqtt] = ["8443", "8080", "1883"].map((port) => this.#fill(port));
    const penstock = `exec "${process.execPath}" "${cliMain}"`;
    // Where a guide relies on the usual ports, these stand before what it says, so that what it says wins.
    const npx = [
      "#!/bin/sh",
      "shift; command=$1; shift",
      'case "$command" in',
      `  up) ${penstock} up --port ${tls} --local-port ${plain} --mqtt-port ${mqtt} "$@" ;;`,
      `  cloud) ${penstock} cloud --port ${tls} --local-port ${plain} "$@" ;;`,
      `  edge) ${penstock} edge --mqtt-port ${mqtt} "$@" ;;`,
      `  *) ${penstock} "$command" "$@" ;;`,
      "esac",
      "",
    ].join("\n");
    const npm = "#!/bin/sh\nexec npx penstock up\n";
    mkdirSync(join(this.#folder, "bin"), { recursive: true });
    for (const [name, text] of Object.entries({ npx, npm })) {
      writeFileSync(join(this.#folder, "bin", name), text);
      chmodSync(join(this.#folder, "bin", name), 0o755);
    }
  }

  /** @throws Error naming line, what was run, what was expected and what was printed */
  async step(step: GuideStep): Promise<void> {
    if (step.t === "file") {
      const path = join(this.#folder, step.path);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, this.#fill(step.text));
      return;
    }
    if (step.how === "stopped") await this.stop();
    const deadline = performance.now() + patienceMs;
    const expected = step.expected.map((line) => this.#fill(line));
    let before = "";
    for (;;) {
      const { code, output, matched } = await this.#run(this.#fill(step.text), expected, step.how === "runs", deadline);
      if (matched !== null && (code === 0 || step.how === "runs")) {
        for (const [name, word] of Object.entries(matched)) this.#words.set(name, word);
        return;
      }
      const isOver = performance.now() > deadline || !isQuestion.test(step.text);
      if (isOver)
        throw new Error(
          `Line ${step.line}: ${step.text}ended with ${code}; expected\n${expected.join("\n")}\nbut it printed\n${output || before}`,
        );
      before = output;
      await new Promise((done) => setTimeout(done, 200));
    }
  }

  #run(
    script: string,
    expected: readonly string[],
    stays: boolean,
    deadline: number,
  ): Promise<{ code: number | null; output: string; matched: Record<string, string> | null }> {
    // A group of its own, so that all that a command started ends with it.
    const child = spawn("bash", ["-e", "-o", "pipefail", "-c", script], {
      cwd: this.#folder,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        PATH: `${join(this.#folder, "bin")}:${process.env.PATH}`,
        HOME: this.#folder,
        XDG_CONFIG_HOME: join(this.#folder, ".config"),
      },
    });
    let output = "";
    this.#running.push({ child, printed: () => output });
    return new Promise((resolve) => {
      const timer = setTimeout(() => killGroup(child, "SIGKILL"), deadline - performance.now());
      const settle = (code: number | null) => {
        clearTimeout(timer);
        resolve({ code, output, matched: matchOutput(expected, output) });
      };
      const take = (chunk: Buffer) => {
        output += chunk.toString();
        if (stays && matchOutput(expected, output) !== null) settle(null);
      };
      child.stdout!.on("data", take);
      child.stderr!.on("data", take);
      child.once("close", settle);
    });
  }

  #fill(text: string): string {
    const all = new Map([...this.#substitutes, ...this.#words]);
    if (all.size === 0) return text;
    const names = [...all.keys()].map((name) => name.replaceAll(".", "\\."));
    return text.replaceAll(new RegExp(`(?<![\\w.-])(${names.join("|")})(?![\\w.-])`, "g"), (name) => all.get(name)!);
  }

  /** Ends what keeps running, the newest first, by Ctrl-C. @throws Error when one complains or does not end with 0 */
  async stop(): Promise<void> {
    const unhappy: string[] = [];
    for (const { child, printed } of this.#running.splice(0).reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const before = printed().length;
      const closed = new Promise((done) => child.once("close", done));
      killGroup(child, "SIGINT");
      const timer = setTimeout(() => killGroup(child, "SIGKILL"), 20_000);
      await closed;
      clearTimeout(timer);
      const last = printed().slice(before);
      const complaints = last.split("\n").filter((line) => /Error|"level":"(warn|error)"/.test(line));
      // A mapper of its own terminal is newer than its gateway, which may notice that it has gone.
      const isUnhappy = complaints.some((line) => !line.includes('"reason":"mapper/stopped"'));
      if (child.exitCode !== 0 || isUnhappy)
        unhappy.push(`ended with ${child.exitCode ?? child.signalCode} and printed\n${last}`);
    }
    if (unhappy.length > 0) throw new Error(`After Ctrl-C a program ${unhappy.join("\nand another ")}`);
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // Gone already.
  }
}
