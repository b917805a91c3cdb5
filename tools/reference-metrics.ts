import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { generatedPage, markdownTable } from "./markdown.ts";
import { repositoryFiles, root } from "./repository.ts";

interface Metric {
  readonly name: string;
  readonly kind: string;
  readonly help: string;
  readonly labels: string;
}

/** takes what others count from one thread to another */
const handsOn = "packages/edge/src/rules/thread/told-metrics.ts";

export function metricReference(): string {
  const of = (program: string) => {
    const metrics = repositoryFiles()
      .filter((path) => path.startsWith(`packages/${program}/src/`) && path.endsWith(".ts"))
      .filter((path) => !path.endsWith(".test.ts") && path !== handsOn)
      .flatMap((path) => metricsOf(path, readFileSync(resolve(root, path), "utf8")));
    return markdownTable(
      ["metric", "kind", "labels", "what"],
      [...new Map(metrics.map((metric) => [metric.name, metric])).values()]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, kind, labels, help }) => [`\`${name}\``, kind, labels, help]),
    );
  };
  return generatedPage("Metrics", "the places in `packages/edge` and `packages/cloud` that count", [
    "Names are `penstock_<stage>_<what>_<unit>`; the stages are the words of the flow in the README. Everything that is",
    "dropped or refused is counted.",
    "",
    "## Cloud, at `/metrics`",
    "",
    ...of("cloud"),
    "",
    "## Gateway, inside the agent",
    "",
    ...of("edge"),
  ]);
}

/**
 * Reads the calls that make metrics. The name is a text, or a template with one variable whose help texts stand in a
 * record beside it. @throws Error naming the file when it cannot tell name or help: then the page would be wrong
 */
export function metricsOf(path: string, source: string): Metric[] {
  const call = /\.(counter|gauge|histogram)\(\s*(["`])(.*?)\2\s*,\s*("[^"]*"|[\w.[\]]+)\s*,?\s*(\{[^}]*\}|\w+)?/gs;
  const found = [...source.matchAll(call)];
  const calls = source.match(/\.(counter|gauge|histogram)\(/g)?.length ?? 0;
  if (found.length !== calls)
    throw new Error(`Cannot read the metrics of "${path}": ${calls} calls, ${found.length} read`);
  return found.flatMap(([, kind, , name, help, given]) => {
    const labels = labelNames(source, given);
    if (help!.startsWith('"')) return [{ name: name!, kind: kind!, help: help!.slice(1, -1), labels }];
    const variants = helpTexts(source, help!);
    if (variants.length === 0) throw new Error(`Cannot read the metrics of "${path}": no text of ${help}`);
    return variants.map(([key, text]) => ({
      name: name!.replace(/\$\{\w+\}/, key),
      kind: kind!,
      help: text,
      labels,
    }));
  });
}

/** `const help = "…"`, or `const help = { dropped: "…", refused: "…" }` for `help[what]`. */
function helpTexts(source: string, expression: string): [string, string][] {
  const [variable] = expression.split("[");
  const value = new RegExp(`const ${variable} =\\s*("[^"]*"|\\{[^}]*\\})`).exec(source)?.[1] ?? "";
  if (value.startsWith('"')) return [["", value.slice(1, -1)]];
  return [...value.matchAll(/(\w+): "([^"]*)"/g)].map(([, key, text]) => [key!, text!]);
}

function labelNames(source: string, given: string | undefined): string {
  if (given === undefined) return "";
  const literal = given.startsWith("{") ? given : new RegExp(`const ${given} = (\\{[^}]*\\})`).exec(source)?.[1];
  const names = [...(literal ?? "").matchAll(/[{,]\s*(\w+)/g)].map(([, name]) => `\`${name}\``);
  return names.join(" ");
}
