import type { RuleActionOf } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import type { MqttClient } from "mqtt";
import { bodyOf } from "../delivery/body.ts";
import { type Courier, noRefusals, type Parcel } from "../delivery/courier.ts";
import { Delivery } from "../delivery/delivery.ts";
import { topicOf } from "../mqtt-sink.ts";
import type { OpenSink, SinkParts } from "../sink-parts.ts";
import { type BrokerSettings, connectBroker, endNow, within } from "./broker-link.ts";

/** Messages at a broker elsewhere. With QoS 1, which is the default here, they are delivered when the broker says so. */
class MqttCourier implements Courier {
  readonly takesMany = false;
  readonly #settings: RuleActionOf<"mqtt">;
  readonly #broker: BrokerSettings;
  readonly #parts: SinkParts;
  #client: MqttClient | null = null;

  constructor(settings: RuleActionOf<"mqtt">, broker: BrokerSettings, parts: SinkParts) {
    this.#settings = settings;
    this.#broker = broker;
    this.#parts = parts;
  }

  addressOf(row: ObjectValue): string {
    return topicOf(this.#settings.topic, row);
  }

  async send(parcel: Parcel, signal: AbortSignal) {
    const { qos = 1, retain = false } = this.#settings;
    const { clock } = this.#parts;
    if (this.#client?.connected !== true) this.#client = await connectBroker(this.#broker, clock);
    const client = this.#client;
    const onAbort = () => void endNow(client);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await within<null>(clock, client, `publish at ${new URL(this.#broker.url).host}`, (done, fail) =>
        client.publish(parcel.address, bodyOf(this.#settings, parcel), { qos, retain }, (error) =>
          error ? fail(error) : done(null),
        ),
      );
      return noRefusals;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async close(): Promise<void> {
    if (this.#client !== null) await endNow(this.#client, !this.#client.connected);
  }
}

export const openMqttElsewhere: OpenSink<"mqtt"> = (spec, parts) =>
  new Delivery({ kind: "mqtt", spec, courier: new MqttCourier(spec, spec.broker!, parts), parts });
