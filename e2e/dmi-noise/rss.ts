import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Runs shorter than this are for the other checks; memory settles later. */
export const rssAfterMs = 10_000;
export const rssMayGrow = 1.1;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** MB of this process. What has been let go of is not leaked, whether or not it has been collected yet. */
export function rssMb(): number {
  collectGarbage();
  return process.memoryUsage.rss() / 2 ** 20;
}
