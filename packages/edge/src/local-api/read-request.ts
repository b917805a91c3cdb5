import type { IncomingMessage } from "node:http";
import {
  AppError,
  type FieldError,
  formatDuration,
  invalid,
  isObject,
  limits,
  parseDuration,
  shown,
} from "@penstock/model";

export type Fields = Readonly<Record<string, unknown>>;

/**
 * The JSON object of a request; {} when there is no body.
 *
 * @param signal  the gateway stops
 * @throws AppError aborted, input/too-large, request/unsupported-media, input/invalid
 */
export async function readBody(request: IncomingMessage, signal: AbortSignal): Promise<Fields> {
  const bytes = await bytesOf(request, signal);
  if (bytes.length === 0) return {};
  if (!/^application\/json *(;|$)/i.test(request.headers["content-type"] ?? ""))
    throw new AppError("request/unsupported-media", "The body must be JSON (application/json) in UTF-8");
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    const field = { field: "body", value: "(unreadable)", rule: "must be JSON in UTF-8" };
    throw new AppError("input/invalid", "The body is not JSON", { fields: [field], cause });
  }
  if (isObject(body)) return body;
  throw invalid([{ field: "body", value: shown(body), rule: "must be an object" }]);
}

async function bytesOf(request: IncomingMessage, signal: AbortSignal): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  const stop = () => request.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const part of request) {
      length += (part as Buffer).length;
      if (length > limits.localRequestBytes) break;
      parts.push(part as Buffer);
    }
  } catch (cause) {
    throw new AppError("aborted", "The request ended before its body did", { cause });
  } finally {
    signal.removeEventListener("abort", stop);
  }
  if (length <= limits.localRequestBytes) return Buffer.concat(parts);
  throw new AppError("input/too-large", `The body is larger than ${limits.localRequestBytes} bytes`);
}

/** Refuses what nobody would read, by name. @param at  "body" or "query" */
export function refuseUnknown(given: Fields, known: readonly string[], at: string): void {
  const fields: FieldError[] = Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((field) => ({
      field,
      value: shown(given[field]),
      rule: `is unknown in this ${at}: ${known.join(", ") || "none"}`,
    }));
  if (fields.length > 0) throw invalid(fields);
}

interface Range<T> {
  readonly least: number;
  readonly most: number;
  readonly otherwise: T;
}

/** A duration in milliseconds. @throws AppError input/invalid naming the field */
export function durationIn<T>(given: Fields, field: string, range: Range<T>): number | T {
  const text = given[field];
  if (text === undefined || text === null) return range.otherwise;
  const ms = typeof text === "string" ? parseDuration(text) : null;
  if (ms !== null && ms >= range.least && ms <= range.most) return ms;
  const rule = `must be ${formatDuration(range.least)}..${formatDuration(range.most)}`;
  throw invalid([{ field, value: shown(text), rule }]);
}

export function textIn(given: Fields, field: string, { most, otherwise }: { most: number; otherwise: string }): string {
  const text = given[field];
  if (text === undefined) return otherwise;
  if (typeof text === "string" && text.trim() !== "" && text.length <= most && text.isWellFormed()) return text.trim();
  throw invalid([{ field, value: shown(text), rule: `must be 1..${most} characters` }]);
}
