import { AppError, type ErrorCode, errors, type FieldError, isErrorCode } from "./errors.ts";

/** @source RFC 9457, 3.1 (members) and 3.2 (extension members `code`, `retry`, `fields`) */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly retry: "never" | "later" | "at-once";
  readonly fields: readonly FieldError[];
}

/**
 * The answer to an error: status and body follow from its code alone. What has no code is "internal": bland to the user,
 * complete in the log.
 */
export function toProblem(error: unknown): Problem {
  const code = error instanceof AppError ? error.code : "internal";
  const spec = errors[code];
  return {
    type: `https://penstock.dev/errors/${code}`,
    title: spec.means,
    status: spec.http,
    detail: error instanceof AppError && code !== "internal" ? error.message : spec.means,
    code,
    retry: spec.retry,
    fields: error instanceof AppError ? error.fields.map((field) => ({ ...field })) : [],
  };
}

/** The inverse, for who asked; null when the text is no problem document of ours. */
export function errorOfProblem(text: string): AppError | null {
  try {
    const { code, detail, fields } = JSON.parse(text) as { code?: unknown; detail?: unknown; fields?: FieldError[] };
    if (isErrorCode(code)) return new AppError(code, String(detail), { fields: fields ?? [] });
  } catch {
    // Something other than Penstock answered.
  }
  return null;
}
