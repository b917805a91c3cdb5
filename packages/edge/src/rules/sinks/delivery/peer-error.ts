import { AppError } from "@penstock/model";

/** Never again: the peer, or the row itself, says no. */
export function refused(what: string, reason: string, cause?: unknown): AppError {
  return new AppError("rules/sink-refused", `Cannot ${what}: ${reason}`, { cause });
}

/** Another time, perhaps. */
export function unreachable(what: string, reason: string, cause?: unknown): AppError {
  return new AppError("rules/sink-unreachable", `Cannot ${what}: ${reason}`, { cause });
}

/** What an error says, also where node hides it in a list of tries. */
export function saidBy(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(saidBy).join("; ");
  if (!(error instanceof Error)) return String(error);
  return error.message === "" ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
}
