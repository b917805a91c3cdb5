import { codeOf, type ErrorCode, errors } from "@penstock/model";

/** What a program that runs penstock may rely on. Follows from the error's code alone. */
export const exitCodes = {
  ok: { number: 0, means: "done" },
  internal: { number: 1, means: "a defect of ours, or something that stopped the command half way" },
  usage: { number: 2, means: "the command line or the input breaks a rule; nothing was changed" },
  notFound: { number: 3, means: "there is no such resource, property or route" },
  notAllowed: { number: 4, means: "no login, or the login may not do it" },
  conflict: { number: 5, means: "it exists already, is in use, or has changed since it was read" },
  plant: { number: 6, means: "the machine or its line refused, failed or did not confirm" },
  unreachable: { number: 7, means: "nobody answered, or the outcome is still open; try again later" },
  setup: { number: 8, means: "port, data folder, disk, certificate or version stands in the way" },
  partly: { number: 9, means: "some of the input was refused and is named; the rest was done" },
} as const;

export function exitCodeOf(error: unknown): number {
  return exitCodes[nameOf(codeOf(error))].number;
}

function nameOf(code: ErrorCode): keyof typeof exitCodes {
  const spec = errors[code];
  if (code === "internal") return "internal";
  if (code === "link/closed" || code === "twin/pending" || code === "twin/expired") return "unreachable";
  if (code === "request/too-many" || code === "request/forbidden") return "notAllowed";
  if (spec.http === 401) return "notAllowed";
  if (spec.http === 404) return "notFound";
  if (spec.http === 409 || spec.http === 412) return "conflict";
  if (spec.who === "plant") return "plant";
  if (spec.who === "caller") return "usage";
  return "setup";
}
