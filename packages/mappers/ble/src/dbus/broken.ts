import { AppError } from "@penstock/model";

/** @param what  what was found instead of D-Bus */
export function broken(what: string): AppError {
  return new AppError("mapper/bad-answer", `Cannot read a D-Bus message: ${what}`);
}
