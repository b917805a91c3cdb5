import { AppError, errors } from "@penstock/model";
import type { Static } from "typebox";
import type { problemSchema } from "./shapes.ts";

export type Problem = Static<typeof problemSchema>;

/**
 * The answer to an error: status and body follow from its code alone. What has no code is "internal": bland to the user,
 * complete in the log.
 *
 * @source RFC 9457, 3.1 (members) and 3.2 (extension members `code`, `retry`, `fields`)
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
