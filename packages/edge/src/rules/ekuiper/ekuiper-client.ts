import { AppError, isObject } from "@penstock/model";

export interface Answer {
  readonly status: number;
  /** the JSON of the body, or its text */
  readonly body: unknown;
}
/** The REST API of a running eKuiper. */
export interface EkuiperClient {
  /** @throws AppError rules/ekuiper-unreachable when nobody answers, or the server failed; whatever else it says is returned */
  ask(method: "GET" | "POST" | "PUT" | "DELETE", path: readonly string[], body?: unknown): Promise<Answer>;
}

const timeoutMs = 10_000;
/** of one answer; a status of thousands of rules is far below */
const answerBytes = 32 * 1024 * 1024;

/**
 * @param url  "http://127.0.0.1:9081"
 * @param signal  the gateway stops
 */
export function ekuiperClient(url: string, signal: AbortSignal): EkuiperClient {
  const base = url.replace(/\/+$/, "");
  return {
    async ask(method, path, body) {
      const where = `${base}/${path.map(encodeURIComponent).join("/")}`;
      try {
        const response = await fetch(where, {
          ...{ method, redirect: "error", signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) },
          ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
        });
        const text = await textOf(response);
        if (response.status < 500) return { status: response.status, body: parsed(text) };
        throw new Error(`it answers ${response.status}: ${text.slice(0, 200)}`);
      } catch (cause) {
        const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
        const why = inner instanceof Error ? inner.message : String(inner);
        throw new AppError("rules/ekuiper-unreachable", `Cannot reach the eKuiper at ${base}: ${why}`, { cause });
      }
    },
  };
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > answerBytes) throw new Error(`its answer is larger than ${answerBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What it says of a request that it refuses. */
export function refusalText({ status, body }: Answer): string {
  const said = isObject(body) && typeof body.message === "string" ? body.message : typeof body === "string" ? body : "";
  return said.trim() === "" ? `it answers ${status}` : said.trim().slice(0, 500);
}
