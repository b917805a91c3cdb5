import { type AppError, limits, type RuleLookupSpec } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import type { Clock } from "@penstock/runtime";
import { HttpPeer } from "../sinks/http/exchange.ts";
import { filledAddress } from "../sinks/http/fill-address.ts";
import { judgeStatus } from "../sinks/http/judge-status.ts";
import { columnsIn } from "../sinks/template.ts";
import { jsonRows } from "../sources/json-rows.ts";
import { bounded, type LookupPeer, type PeerAnswer } from "./lookup-peer.ts";
import { meets } from "./meets.ts";

type Settings = NonNullable<RuleLookupSpec["http"]>;
const atOnce = 4;

/** GETs of an HTTP server. What an address with fewer columns in it answers to all, those questions share. */
export class HttpLookup implements LookupPeer {
  readonly name: string;
  readonly most = 32;
  readonly #settings: Settings;
  readonly #named: readonly string[];
  readonly #peer: HttpPeer;

  constructor(settings: Settings, { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number }) {
    this.#settings = settings;
    this.#named = columnsIn([settings.url, settings.headers ?? {}]);
    this.name = /^[a-z]+:\/\/[^/?#]*/i.exec(settings.url)?.[0] ?? "http";
    this.#peer = new HttpPeer({ clock, timeoutMs, answerBytes: limits.devicePayloadBytes, sockets: atOnce });
  }

  async ask(questions: readonly ObjectValue[], signal: AbortSignal): Promise<readonly PeerAnswer[]> {
    const byAddress = new Map<string, Promise<PeerAnswer>>();
    return Promise.all(
      questions.map(async (question) => {
        const address = this.#addressOf(question);
        if (typeof address !== "string") return address;
        const known = byAddress.get(address) ?? this.#get(address, signal);
        byAddress.set(address, known);
        const rows = await known;
        if ("failure" in rows) return rows;
        return bounded(rows.filter((row) => meets(row, question, (column) => this.#named.includes(column))));
      }),
    );
  }

  async close(): Promise<void> {
    this.#peer.close();
  }

  #addressOf(question: ObjectValue): string | { readonly failure: string } {
    try {
      return JSON.stringify(filledAddress(this.#settings, question));
    } catch (error) {
      return { failure: (error as AppError).message };
    }
  }

  /** @throws AppError rules/sink-unreachable */
  async #get(address: string, signal: AbortSignal): Promise<PeerAnswer> {
    const { url: to, headers } = JSON.parse(address) as ReturnType<typeof filledAddress>;
    const { token } = this.#settings;
    const url = new URL(to);
    const all = {
      accept: "application/json",
      ...headers,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const what = `GET ${url.origin}${url.pathname}`;
    const answer = await this.#peer.ask({ method: "GET", url, headers: all, body: null }, signal);
    if (answer.status === 404 || answer.status === 204) return [];
    try {
      judgeStatus(what, answer);
    } catch (error) {
      const { code, message } = error as AppError;
      if (code === "rules/sink-refused") return { failure: message };
      throw error;
    }
    const rows = answer.isWhole ? jsonRows(new TextDecoder().decode(answer.body)) : null;
    return (
      rows ?? {
        failure: `${what}: the answer is no row, and no list of rows, as JSON of ${limits.devicePayloadBytes} bytes at most`,
      }
    );
  }
}
