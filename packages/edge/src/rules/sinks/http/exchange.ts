import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Clock } from "@penstock/runtime";
import { saidBy, unreachable } from "../delivery/peer-error.ts";

export interface Question {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
}
export interface Answer {
  readonly status: number;
  /** cut at `answerBytes` */
  readonly body: Uint8Array;
  readonly isWhole: boolean;
}
export interface HttpPeerOptions {
  readonly clock: Clock;
  /** for the whole exchange, in ms */
  readonly timeoutMs: number;
  /** of an answer; the rest is not read */
  readonly answerBytes: number;
  /** questions at once, each over its own kept connection; default 1: one after the other */
  readonly sockets?: number;
}

/** One HTTP server, over connections that are kept. Redirects are answers like any other. */
export class HttpPeer {
  readonly #options: HttpPeerOptions;
  readonly #agents: { readonly "http:": HttpAgent; readonly "https:": HttpsAgent };

  constructor(options: HttpPeerOptions) {
    this.#options = options;
    const kept = { keepAlive: true, maxSockets: options.sockets ?? 1 };
    this.#agents = { "http:": new HttpAgent(kept), "https:": new HttpsAgent(kept) };
  }

  /** @throws AppError rules/sink-unreachable when no answer came in time */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    for (let isAgain = false; ; isAgain = true) {
      try {
        return await this.#once(question, signal);
      } catch (error) {
        // A connection that was kept, and that the peer had closed: it has not seen the question.
        if (error === unseen && !isAgain) continue;
        const what = `${question.method} ${question.url.origin}${question.url.pathname}`;
        throw unreachable(what, error === unseen ? "the connection was closed" : saidBy(error), error);
      }
    }
  }

  #once({ method, url, headers, body }: Question, signal: AbortSignal): Promise<Answer> {
    const { clock, timeoutMs, answerBytes } = this.#options;
    return new Promise((resolve, reject) => {
      const isSecure = url.protocol === "https:";
      const content = body === null ? {} : { "content-length": String(body.length) };
      const request = (isSecure ? httpsRequest : httpRequest)(url, {
        ...{ method, signal, agent: this.#agents[isSecure ? "https:" : "http:"] },
        headers: { "user-agent": "penstock", ...headers, ...content },
      });
      const cancel = clock.after(timeoutMs, () => request.destroy(new Error(`no answer in ${timeoutMs} ms`)));
      const fail = (error: unknown) => {
        cancel();
        reject(error);
      };
      request.on("error", (error: NodeJS.ErrnoException) =>
        fail(request.reusedSocket && error.code === "ECONNRESET" ? unseen : error),
      );
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        const done = (isWhole: boolean) => {
          cancel();
          const bytes = Buffer.concat(chunks).subarray(0, answerBytes);
          resolve({ status: response.statusCode ?? 0, body: bytes, isWhole });
        };
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size <= answerBytes) return;
          done(false);
          request.destroy();
        });
        response.on("end", () => done(true));
        response.on("error", fail);
      });
      request.end(body ?? undefined);
    });
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}

const unseen = new Error("unseen");
