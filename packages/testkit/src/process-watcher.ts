/**
 * Outlives whoever started it by a moment: hears the numbers of process groups on standard input ("+123" begins,
 * "-123" has ended), and when the input closes, however its owner died, kills the groups that are left.
 */
const groups = new Set<number>();
let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (text: string) => {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const group = Number(line.slice(1));
    if (line.startsWith("+")) groups.add(group);
    else groups.delete(group);
  }
});
process.stdin.on("end", () => {
  for (const group of groups) {
    try {
      process.kill(-group, "SIGKILL");
    } catch {
      // It ended in the same moment: what was wanted.
    }
  }
});
// Ctrl-C reaches the terminal's whole group; the watcher must still be there when its owner is gone.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
