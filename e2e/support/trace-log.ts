import { readFileSync } from "node:fs";

/** One trace line of the walk of a value. */
export interface TraceLine {
  readonly program: string;
  readonly time: string;
  /** relative to packages/ */
  readonly file: string;
  readonly id: string;
  readonly state?: string;
}

/** The trace lines with a file and an id, in the order in which the program wrote them. */
export function readTrace(logPath: string): TraceLine[] {
  const lines: TraceLine[] = [];
  for (const text of readFileSync(logPath, "utf8").split("\n")) {
    if (!text.startsWith("{") || !text.includes('"trace"')) continue;
    let line: Partial<TraceLine> & { readonly level?: string };
    try {
      line = JSON.parse(text) as typeof line;
    } catch {
      continue; // the line that is being written now
    }
    if (line.level === "trace" && line.file !== undefined && line.id !== undefined) lines.push(line as TraceLine);
  }
  return lines;
}

/** Each file where it comes first: what a file says more than once about a value, it says about one step of the walk. */
export function firstOfEachFile(lines: readonly TraceLine[]): TraceLine[] {
  const seen = new Set<string>();
  return lines.filter(({ file }) => !seen.has(file) && seen.add(file));
}
