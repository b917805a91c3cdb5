import { type ErrorSpec, errors } from "@penstock/model";

const people: Readonly<Record<ErrorSpec["who"], string>> = {
  caller: "what was asked",
  operator: "how it is set up or run",
  plant: "the machine or its line",
  us: "a defect of ours: please report it",
};

export function errorReference(): string {
  const rows = Object.entries(errors as Record<string, ErrorSpec>).map(
    ([code, spec]) => `| \`${code}\` | ${spec.http} | ${spec.who} | ${spec.retry} | ${spec.means} |`,
  );
  return [
    "# Errors",
    "",
    "Generated from `packages/model/src/errors.ts`. Every error of the API, the command line and the log carries one of",
    "these codes. The HTTP status follows from the code alone.",
    "",
    "Who can mend it:",
    "",
    ...Object.entries(people).map(([who, meaning]) => `- **${who}**: ${meaning}`),
    "",
    "| code | HTTP | who can mend it | try again | means |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
