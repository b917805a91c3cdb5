import { run } from "./program.ts";

// A reader that has seen enough (head, less) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
const code = await run(process.argv.slice(2));
// A command that ran to its end and found fault, such as doctor, has set it already.
if (code !== 0) process.exitCode = code;
