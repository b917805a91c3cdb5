import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { type Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { DriverClock } from "@penstock/mapper-sdk";
import { AppError, limits } from "@penstock/model";

export interface Question {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
}
export interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly contentType: string;
  /** unpacked */
  readonly body: Uint8Array;
}
export interface ExchangeOptions {
  readonly agent: HttpAgent | HttpsAgent;
  readonly clock: DriverClock;
  readonly connectTimeoutMs: number;
  /** for the headers from the end of the question, and again for all of the body */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Of requests on a kept socket that the device had closed meanwhile: it has not seen them. */
const unseen = new WeakSet<AppError>();
export function wasUnseen(error: unknown): boolean {
  return error instanceof AppError && unseen.has(error);
}

const unpack = promisify(gunzip);

/**
 * Asks once and takes the whole answer, however slowly it drips: each step has its time and all of it its size.
 *
 * @throws AppError mapper/connect-failed, mapper/connection-lost (ended before an answer began), mapper/timeout,
 * mapper/bad-answer (cut, too large, not HTTP), aborted
 */
export async function exchange(question: Question, options: ExchangeOptions): Promise<Answer> {
  const { response, body } = await received(question, options);
  const packing = response.headers["content-encoding"] ?? "identity";
  const answer = {
    status: response.statusCode ?? 0,
    location: response.headers.location ?? null,
    contentType: response.headers["content-type"] ?? "",
  };
  if (packing === "identity" || body.length === 0) return { ...answer, body };
  if (packing !== "gzip") throw badAnswer(question, `it is packed as "${packing}", which nobody asked for`);
  try {
    return { ...answer, body: await unpack(body, { maxOutputLength: limits.devicePayloadBytes }) };
  } catch (cause) {
    throw badAnswer(question, "it does not unpack, or to too much", cause);
  }
}

function received(question: Question, options: ExchangeOptions): Promise<{ response: IncomingMessage; body: Buffer }> {
  const { method, url, headers, body } = question;
  const { agent, clock, connectTimeoutMs, timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    const send: (url: URL, options: RequestOptions) => ReturnType<typeof httpRequest> =
      url.protocol === "https:" ? httpsRequest : httpRequest;
    let stage: "connecting" | "waiting" | "reading" | "over" = "connecting";
    let cancel = () => {};
    const within = (ms: number, what: string) => {
      cancel();
      cancel = clock.after(ms, () => fail(late(question, what, ms, stage === "connecting")));
    };
    const settle = (then: () => void) => {
      if (stage === "over") return;
      stage = "over";
      cancel();
      signal.removeEventListener("abort", onAbort);
      then();
    };
    const fail = (error: AppError) =>
      settle(() => {
        request.destroy();
        reject(error);
      });
    const onAbort = () => fail(new AppError("aborted", "The work was called off", { cause: signal.reason }));
    const length = body === null ? {} : { "content-length": String(body.length) };
    const request = send(url, { method, agent, headers: { ...headers, ...length }, joinDuplicateHeaders: true });
    request.on("error", (cause) => {
      const error = broken(question, cause, stage);
      if (request.reusedSocket && error.code === "mapper/connection-lost") unseen.add(error);
      fail(error);
    });
    request.once("socket", (socket) => {
      const connected = () => {
        if (stage !== "connecting") return;
        stage = "waiting";
        within(timeoutMs, "no answer began");
      };
      if (!socket.connecting && request.reusedSocket) connected();
      else socket.once(url.protocol === "https:" ? "secureConnect" : "connect", connected);
    });
    request.once("response", (response) => {
      stage = "reading";
      within(timeoutMs, "the answer did not end");
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > limits.devicePayloadBytes) {
          fail(badAnswer(question, `it is longer than ${limits.devicePayloadBytes} bytes`));
        } else chunks.push(chunk);
      });
      response.on("error", (cause) => fail(badAnswer(question, "it was cut", cause)));
      // Of an answer that is cut there is an error and no end.
      response.once("end", () => settle(() => resolve({ response, body: Buffer.concat(chunks) })));
    });
    within(connectTimeoutMs, "no connection");
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) return onAbort();
    request.end(body ?? undefined);
  });
}

function shownUrl({ method, url }: Question): string {
  return `${method} ${url.origin}${url.pathname}`;
}

export function badAnswer(question: Question, why: string, cause?: unknown): AppError {
  return new AppError("mapper/bad-answer", `Cannot take the answer to ${shownUrl(question)}: ${why}`, { cause });
}

function late(question: Question, what: string, ms: number, isConnecting: boolean): AppError {
  const code = isConnecting ? "mapper/connect-failed" : "mapper/timeout";
  return new AppError(code, `Cannot ${shownUrl(question)}: ${what} within ${ms} ms`);
}

function broken(question: Question, cause: Error, stage: string): AppError {
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  // llhttp's own: what came is not HTTP
  if (code.startsWith("HPE_")) return badAnswer(question, `not HTTP (${code})`, cause);
  if (stage === "reading") return badAnswer(question, "it was cut", cause);
  const kind = stage === "connecting" ? "mapper/connect-failed" : "mapper/connection-lost";
  const errors = cause instanceof AggregateError ? (cause.errors as Error[]) : [cause];
  const why = errors.map(({ message }) => message).join("; ");
  return new AppError(kind, `Cannot ${shownUrl(question)}: ${why}`, { cause });
}
