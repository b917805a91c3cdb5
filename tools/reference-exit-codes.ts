import { exitCodeOf, exitCodes } from "@penstock/cli";
import { AppError, type ErrorCode, errors } from "@penstock/model";
import { generatedPage, markdownTable } from "./markdown.ts";

export function exitCodeReference(): string {
  const codes = Object.keys(errors) as ErrorCode[];
  const rows = Object.values(exitCodes).map(({ number, means }) => [
    String(number),
    means,
    codes
      .filter((code) => exitCodeOf(new AppError(code, "")) === number)
      .map((code) => `\`${code}\``)
      .join(" "),
  ]);
  return generatedPage("Exit codes", "`packages/cli/src/exit-codes.ts`", [
    "What `penstock` ends with. The number follows from the error's code alone (`errors.md`), so scripts may rely on it.",
    "",
    ...markdownTable(["exit code", "means", "error codes"], rows),
  ]);
}
