import { readdirSync, readFileSync } from "node:fs";
import { cpuSecondsOf } from "../line/forked.ts";

export interface ProcessFigures {
  /** of the process itself, MB of 2^20 bytes */
  readonly rss: number;
  /** of the process and all below it: pages that several share are counted once, in parts */
  readonly pss: number;
  /** of all of them, since their start */
  readonly cpuSeconds: number;
}

/** @source proc(5), /proc/PID/smaps_rollup; needs Linux 4.14 */
export function figuresOf(pid: number): ProcessFigures {
  const all = familyOf(pid);
  return {
    rss: megabytes(pid, "Rss"),
    pss: all.reduce((sum, each) => sum + megabytes(each, "Pss"), 0),
    cpuSeconds: all.reduce((sum, each) => sum + cpuSecondsOf(each), 0),
  };
}

/** The process and all that it has started. A thread may have started a child too. */
function familyOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(familyOf)];
}

function megabytes(pid: number, field: "Rss" | "Pss"): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
  if (found === null) throw new Error(`/proc/${pid}/smaps_rollup has no ${field}`);
  return Number(found[1]) / 1024;
}
