import { AppError } from "@penstock/model";

export function isNoSpace(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOSPC" || code === "EDQUOT" || (error instanceof AppError && error.code === "data/disk-full");
}

/** What an append rejects with when the disk has failed it. */
export function refusal(folder: string, cause: unknown): { why: "disk-full" | "write-failed"; error: AppError } {
  const why = isNoSpace(cause) ? "disk-full" : "write-failed";
  const text =
    why === "disk-full"
      ? `Cannot keep readings: no room on the disk of "${folder}"; free some space`
      : `Cannot keep readings: the disk of "${folder}" refused a write or a sync`;
  return { why, error: new AppError(`outbox/${why}`, text, { cause }) };
}
