import type { RuleActionOf } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import { bodyOf } from "../delivery/body.ts";
import { type Courier, noRefusals, type Parcel } from "../delivery/courier.ts";
import { Delivery } from "../delivery/delivery.ts";
import { msOf } from "../delivery/delivery-settings.ts";
import { refused } from "../delivery/peer-error.ts";
import type { OpenSink, SinkParts } from "../sink-parts.ts";
import { columnsIn, filled } from "../template.ts";
import { HttpPeer } from "./exchange.ts";
import { judgeStatus } from "./judge-status.ts";

const timeoutMs = 10_000;
const answerBytes = 16_384;
/** RFC 9110, 5.5: what a field value may not hold */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const notInHeader = /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/;

interface Address {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Requests to an HTTP server: one a row, a result or a batch. A column in the URL is encoded as a part of it. */
class HttpCourier implements Courier {
  readonly takesMany = false;
  readonly #settings: RuleActionOf<"http">;
  readonly #peer: HttpPeer;

  constructor(settings: RuleActionOf<"http">, { clock }: SinkParts) {
    this.#settings = settings;
    this.#peer = new HttpPeer({ clock, answerBytes, timeoutMs: msOf(settings.timeout, timeoutMs) });
  }

  addressOf(row: ObjectValue): string {
    const { url, headers = {} } = this.#settings;
    const parts = columnsIn(url).map((name) => [name, encodeURIComponent(filled(`\${${name}}`, row))] as const);
    const to = filled(url, { ...row, ...Object.fromEntries(parts) });
    if (!URL.canParse(to) || !/^https?:$/.test(new URL(to).protocol)) throw refused(`send to "${to}"`, "it is no URL");
    const filledHeaders = Object.entries(headers).map(([name, text]) => {
      const value = filled(text, row);
      if (notInHeader.test(value)) throw refused("send", `header ${name} would hold what no header may`);
      return [name.toLowerCase(), value];
    });
    return JSON.stringify({ url: to, headers: Object.fromEntries(filledHeaders) } satisfies Address);
  }

  async send(parcel: Parcel, signal: AbortSignal) {
    const { method = "POST", token, template } = this.#settings;
    const address = JSON.parse(parcel.address) as Address;
    const url = new URL(address.url);
    const headers = {
      "content-type": template === undefined ? "application/json" : "text/plain; charset=utf-8",
      ...address.headers,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const body = Buffer.from(bodyOf(this.#settings, parcel));
    const answer = await this.#peer.ask({ method, url, headers, body }, signal);
    judgeStatus(`${method} ${url.origin}${url.pathname}`, answer);
    return noRefusals;
  }

  async close(): Promise<void> {
    this.#peer.close();
  }
}

export const openHttp: OpenSink<"http"> = (spec, parts) =>
  new Delivery({ kind: "http", spec, courier: new HttpCourier(spec, parts), parts });
