import type { RuleActionOf } from "@penstock/model";
import { type Courier, noRefusals, type Parcel, type ParcelRow, type Refusal } from "../delivery/courier.ts";
import { Delivery } from "../delivery/delivery.ts";
import { oneByOneWhenRefused } from "../delivery/one-by-one.ts";
import { timeOf } from "../delivery/time-of.ts";
import { HttpPeer } from "../http/exchange.ts";
import { judgeStatus } from "../http/judge-status.ts";
import { chosen } from "../row-json.ts";
import type { OpenSink, SinkParts } from "../sink-parts.ts";
import { filled } from "../template.ts";
import { lineOf } from "./line-protocol.ts";

const timeoutMs = 10_000;
const answerBytes = 16_384;

/** Points of InfluxDB 2 and 3. @source InfluxDB v2 API, POST /api/v2/write */
class InfluxCourier implements Courier {
  readonly takesMany = true;
  readonly #settings: RuleActionOf<"influx">;
  readonly #peer: HttpPeer;
  readonly #url: URL;

  constructor(settings: RuleActionOf<"influx">, { clock }: SinkParts) {
    this.#settings = settings;
    this.#peer = new HttpPeer({ clock, timeoutMs, answerBytes });
    this.#url = new URL(`${settings.url.replace(/\/+$/, "")}/api/v2/write`);
    const { org, bucket } = settings;
    for (const [name, value] of Object.entries({ org, bucket, precision: "us" }))
      if (value !== undefined) this.#url.searchParams.set(name, value);
  }

  addressOf(): string {
    return "";
  }

  async send(parcel: Parcel, signal: AbortSignal): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = [];
    const good: { readonly at: number; readonly row: ParcelRow; readonly line: string }[] = [];
    for (const [at, row] of parcel.rows.entries()) {
      try {
        good.push({ at, row, line: this.#line(row) });
      } catch (error) {
        refusals.push({ at, reason: (error as Error).message });
      }
    }
    if (good.length === 0) return refusals;
    const lines = new Map(good.map(({ row, line }) => [row, line]));
    const more = await oneByOneWhenRefused({ ...parcel, rows: good.map(({ row }) => row) }, (rows) =>
      this.#write(
        rows.map((row) => lines.get(row)!),
        signal,
      ),
    );
    return refusals.length + more.length === 0
      ? noRefusals
      : [...refusals, ...more.map(({ at, reason }) => ({ at: good[at]!.at, reason }))];
  }

  #line(given: ParcelRow): string {
    const { measurement, tags = [], time, fields } = this.#settings;
    const { row } = given;
    const isField = (name: string) => !tags.includes(name) && name !== time;
    return lineOf({
      measurement: filled(measurement, row),
      tags: tags.map((name) => [name, filled(`\${${name}}`, row)]),
      fields: Object.fromEntries(Object.entries(chosen(row, fields)).filter(([name]) => isField(name))),
      time: timeOf(time, given),
    });
  }

  async #write(lines: readonly string[], signal: AbortSignal): Promise<void> {
    const { token } = this.#settings;
    const headers = {
      "content-type": "text/plain; charset=utf-8",
      ...(token !== undefined && { authorization: `Token ${token}` }),
    };
    const body = Buffer.from(`${lines.join("\n")}\n`);
    const answer = await this.#peer.ask({ method: "POST", url: this.#url, headers, body }, signal);
    judgeStatus(`write to ${this.#url.origin}`, answer);
  }

  async close(): Promise<void> {
    this.#peer.close();
  }
}

export const openInflux: OpenSink<"influx"> = (spec, parts) =>
  new Delivery({ kind: "influx", spec, courier: new InfluxCourier(spec, parts), parts });
