import { AppError, invalid, toProblem } from "@penstock/model";
import type { Log } from "@penstock/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";

/** What Fastify itself refuses, in the words of the error table. Others are internal. */
function translated(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new AppError("input/too-large", "The body is larger than its limit", { cause: error });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new AppError("request/unsupported-media", "The body must be JSON (application/json) in UTF-8", {
        cause: error,
      });
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return invalid([{ field: "body", value: "(empty)", rule: "must be JSON" }]);
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return invalid([{ field: "Content-Length", value: "(other)", rule: "must be the body's length" }]);
  }
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  // A URL that cannot be decoded and the like: Fastify says 400 without a code of its own that is worth a row.
  if (status === 400)
    return invalid([{ field: "request", value: "(unreadable)", rule: String((error as Error).message) }]);
  return error;
}

/** Answers an error. Status and body follow from the code alone; what has no code is logged whole. */
export function sendProblem(options: {
  readonly error: unknown;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly log: Log;
}): FastifyReply {
  const { request, reply, log } = options;
  const error = translated(options.error);
  const problem = toProblem(error);
  if (problem.code === "internal") {
    const route = request.routeOptions.url ?? "(none)";
    log.error({ method: request.method, route, error: causes(error) }, "Request failed");
  }
  if (problem.status === 401) reply.header("www-authenticate", "Bearer");
  if (problem.status === 429) reply.header("retry-after", "60");
  return reply.status(problem.status).type("application/problem+json").send(JSON.stringify(problem));
}

/** The whole chain of causes, each with its stack. */
function causes(error: unknown): string {
  const lines: string[] = [];
  for (let here = error; here !== undefined; here = here instanceof Error ? here.cause : undefined) {
    lines.push(here instanceof Error ? (here.stack ?? here.message) : String(here));
  }
  return lines.join("\ncaused by ");
}
