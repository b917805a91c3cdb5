import { checkTopic, type RuleActionOf } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import { bodyOf, rowText } from "./delivery/body.ts";
import { type Courier, noRefusals, type Parcel } from "./delivery/courier.ts";
import { Delivery } from "./delivery/delivery.ts";
import { refused, saidBy, unreachable } from "./delivery/peer-error.ts";
import type { Sink } from "./sink.ts";
import type { OpenSink, SinkSite } from "./sink-parts.ts";
import { filled } from "./template.ts";

/** Where messages of an action go. @throws AppError rules/sink-refused when the row makes it no topic */
export function topicOf(template: string, row: ObjectValue): string {
  const topic = filled(template, row);
  const [fault] = checkTopic(topic, "topic");
  if (fault !== undefined) throw refused(`publish at ${fault.value}`, fault.rule);
  return topic;
}

/** Messages at the gateway's own broker, ours or the one that was chosen. */
class LocalCourier implements Courier {
  /** Rows of a result come together, however many they are; each is a message all the same unless a list is asked for. */
  readonly takesMany = true;
  readonly #settings: RuleActionOf<"mqtt">;
  readonly #site: SinkSite;
  readonly #isList: boolean;

  constructor(settings: RuleActionOf<"mqtt">, site: SinkSite) {
    this.#settings = settings;
    this.#site = site;
    this.#isList = settings.send === "list" || settings.batch !== undefined;
  }

  addressOf(row: ObjectValue): string {
    return topicOf(this.#settings.topic, row);
  }

  async send(parcel: Parcel, signal: AbortSignal) {
    const { qos = 0, retain = false } = this.#settings;
    const texts = this.#isList
      ? [bodyOf(this.#settings, parcel)]
      : parcel.rows.map(({ row }) => rowText(this.#settings, row));
    try {
      for (const text of texts) {
        const message = { topic: parcel.address, payload: Buffer.from(text), qos, retain };
        await unlessAborted(() => this.#site.publish(message), signal);
      }
      return noRefusals;
    } catch (error) {
      throw unreachable("publish at the gateway's broker", saidBy(error), error);
    }
  }

  async close(): Promise<void> {}
}

export const openMqttHere: OpenSink<"mqtt"> = (spec, parts) => {
  const open = () => new Delivery({ kind: "mqtt", spec, courier: new LocalCourier(spec, parts.site), parts });
  // What waits on the disk goes at once; else most of thousands of rules have nothing to say for long.
  return spec.cache === undefined ? withFirst(open) : open();
};

/** Opened when there is something to deliver. */
function withFirst(open: () => Sink): Sink {
  let sink: Sink | null = null;
  return {
    take(output) {
      sink ??= open();
      return sink.take(output);
    },
    close: async () => void (await sink?.close()),
  };
}

/** What is published cannot be called back, but nobody need wait for it. */
function unlessAborted(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}
