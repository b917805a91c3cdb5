import type { IncomingMessage, ServerResponse } from "node:http";
import { AppError, invalid, isObject, limits, shown, toProblem } from "@penstock/model";

/** What a route answers: JSON, a text as eKuiper says it, or something that goes on. */
export type Reply =
  | { readonly status: number; readonly json: unknown }
  | { readonly status: number; readonly text: string; readonly type?: string; readonly file?: string }
  | { readonly stream: (response: ServerResponse) => void };

export interface RestRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** the JSON of the body; undefined: there is none */
  readonly body: unknown;
}

/**
 * Reads the whole body; eKuiper's clients often state no media type, so none is asked for.
 *
 * @throws AppError aborted, input/too-large, input/invalid
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of request) {
      length += (part as Buffer).length;
      if (length > limits.localImportBytes)
        throw new AppError("input/too-large", `The body is larger than ${limits.localImportBytes} bytes`);
      parts.push(part as Buffer);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("aborted", "The request ended before its body did", { cause });
  }
  if (length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts)));
  } catch (cause) {
    throw new AppError("input/invalid", "Invalid body: it is not JSON in UTF-8", { cause });
  }
}

/** @throws AppError input/invalid */
export function textField(body: unknown, name: string): string {
  const value = isObject(body) ? body[name] : undefined;
  if (typeof value === "string" && value !== "") return value;
  throw invalid([{ field: name, value: shown(value, { field: name }), rule: "must be text" }]);
}

/** @source eKuiper, docs/en_US/api/restapi/errorcode.md: 1000 undefined, 1002 not found, 2001 SQL */
export function errorReply(error: unknown): Reply {
  const code = error instanceof AppError ? error.code : "internal";
  const { status: http, detail: message } = toProblem(error);
  // What a rule needs and this gateway lacks is a refusal, not a failure.
  const status = http >= 500 && code !== "internal" && code !== "aborted" ? 400 : http;
  const number = status === 404 ? 1002 : code === "rules/bad-sql" ? 2001 : 1000;
  return { status, json: { error: number, message } };
}
