import { isSecretHeader, type RuleActionOf } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import { bodyOf } from "../delivery/body.ts";
import { type Courier, noRefusals, type Parcel } from "../delivery/courier.ts";
import { Delivery } from "../delivery/delivery.ts";
import { msOf } from "../delivery/delivery-settings.ts";
import type { OpenSink, SinkParts } from "../sink-parts.ts";
import { columnsIn, filled } from "../template.ts";
import { HttpPeer } from "./exchange.ts";
import { filledAddress, type HttpAddress } from "./fill-address.ts";
import { judgeStatus } from "./judge-status.ts";

/** As it may stand on the disk: without headers that are secrets, but with what of the row stands in them. */
type OpenAddress = HttpAddress & { readonly columns: Readonly<Record<string, string>> };

const timeoutMs = 10_000;
const answerBytes = 16_384;
/** Requests to an HTTP server: one a row, a result or a batch. A column in the URL is encoded as a part of it. */
class HttpCourier implements Courier {
  readonly takesMany = false;
  readonly #settings: RuleActionOf<"http">;
  readonly #peer: HttpPeer;
  readonly #secretHeaders: Readonly<Record<string, string>>;

  constructor(settings: RuleActionOf<"http">, { clock }: SinkParts) {
    this.#settings = settings;
    const secret = Object.entries(settings.headers ?? {}).filter(([name]) => isSecretHeader(name));
    this.#secretHeaders = Object.fromEntries(secret);
    this.#peer = new HttpPeer({ clock, answerBytes, timeoutMs: msOf(settings.timeout, timeoutMs) });
  }

  addressOf(row: ObjectValue): string {
    const { url, headers } = filledAddress(this.#settings, row);
    const open = Object.entries(headers).filter(([name]) => !isSecretHeader(name));
    const columns = columnsIn(this.#secretHeaders).map((name) => [name, filled(`\${${name}}`, row)]);
    const address: OpenAddress = { url, headers: Object.fromEntries(open), columns: Object.fromEntries(columns) };
    return JSON.stringify(address);
  }

  async send(parcel: Parcel, signal: AbortSignal) {
    const { method = "POST", token, template } = this.#settings;
    const address = JSON.parse(parcel.address) as HttpAddress;
    const url = new URL(address.url);
    // The rows of one address have the same in them.
    const secret = filledAddress({ url: address.url, headers: this.#secretHeaders }, parcel.rows[0]!.row);
    const headers = {
      "content-type": template === undefined ? "application/json" : "text/plain; charset=utf-8",
      ...address.headers,
      ...secret.headers,
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
