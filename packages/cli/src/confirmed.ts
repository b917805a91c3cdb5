import { createInterface } from "node:readline/promises";
import { AppError, invalid } from "@penstock/model";

/**
 * Asks on the terminal, and returns when the answer is yes.
 *
 * @throws AppError aborted for any other answer; input/invalid where nobody can be asked
 */
export async function confirmed(question: string): Promise<void> {
  if (process.stdin.isTTY !== true) {
    throw invalid([
      { field: "--yes", value: "(missing)", rule: "is needed where nobody can be asked; nothing was changed" },
    ]);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new AppError("aborted", "Nothing was changed");
  } finally {
    terminal.close();
  }
}
