import { matchesFilter } from "@penstock/model";
import type { Cancel, Clock, Log, Metrics } from "@penstock/runtime";
import type { Aedes, Client, PublishPacket } from "aedes";
import type { BrokerListener } from "./broker.ts";

/** What the library's types leave out. */
type Whole = {
  readonly persistence: {
    createRetainedStream(filter: string): AsyncIterable<{ readonly topic: string; readonly payload: string | Buffer }>;
  };
  publish(packet: PublishPacket, client: Client, done: (error?: unknown) => void): void;
};
type Hear = (topic: string, payload: string | Buffer) => void;

export interface EmbeddedListenersOptions {
  readonly aedes: Aedes;
  /** how long a publisher waits at most until its message is taken */
  readonly heardMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Stages of the gateway that listen at the embedded broker, without a client between. */
export class EmbeddedListeners {
  readonly #options: EmbeddedListenersOptions;
  readonly #whole: Whole;
  readonly #all = new Set<BrokerListener>();
  readonly #waiting = new Set<Cancel>();

  constructor(options: EmbeddedListenersOptions) {
    this.#options = options;
    this.#whole = options.aedes as unknown as Whole;
  }

  get size(): number {
    return this.#all.size;
  }

  add(listener: BrokerListener): () => void {
    const { aedes, log } = this.#options;
    const { filter } = listener;
    const hear: Hear = (topic, payload) => {
      // `#` of the library reaches its own topics too.
      if (matchesFilter(filter, topic)) listener.hear(topic, Buffer.from(payload));
    };
    const take: Parameters<Aedes["subscribe"]>[1] = ({ topic, payload }, done) => {
      hear(topic, payload);
      done();
    };
    this.#all.add(listener);
    aedes.subscribe(filter, take, () => {});
    this.#tellRetained(filter, hear).catch((error: unknown) => log.warn({ error }, "Retained messages are not told"));
    return () => {
      this.#all.delete(listener);
      aedes.unsubscribe(filter, take, () => {});
    };
  }

  /**
   * The library acknowledges QoS 1 before it publishes. For what a listener wants it is the other way round: everybody has
   * the message, then the listeners take it, and then the publisher hears that it arrived. What is lost with the gateway
   * before that, it sends again. Applications wait for nothing.
   */
  beforeAcknowledged(client: Client, packet: PublishPacket, acknowledge: (error?: Error) => void): void {
    const { aedes } = this.#options;
    const heard = packet.qos === 1 ? [...this.#all].filter(({ filter }) => matchesFilter(filter, packet.topic)) : [];
    if (heard.length === 0) {
      acknowledge();
      return;
    }
    this.#whole.publish({ ...packet }, client, (error) => {
      if (error instanceof Error) {
        acknowledge(error);
        return;
      }
      this.#whenTaken(heard, () => {
        // What the library publishes now has been published: it is for nobody.
        const topic = `$SYS/${aedes.id}/acknowledged`;
        Object.assign(packet, { topic, payload: Buffer.alloc(0), retain: false });
        acknowledge();
      });
    });
  }

  /** A publisher that waits then is not answered: it sends again. */
  close(): void {
    for (const cancel of this.#waiting) cancel();
    this.#waiting.clear();
  }

  #whenTaken(heard: readonly BrokerListener[], then: () => void): void {
    const { clock, heardMs, metrics } = this.#options;
    const end = () => this.#waiting.delete(cancel);
    const cancel = clock.after(heardMs, () => {
      if (!end()) return;
      const help = "Messages that were acknowledged though nobody who listens at the gateway had taken them in 10 s";
      metrics.counter("penstock_bypass_early_total", help).add();
      then();
    });
    this.#waiting.add(cancel);
    void Promise.all(heard.map((listener) => listener.settled())).then(() => {
      cancel();
      if (end()) then();
    });
  }

  async #tellRetained(filter: string, hear: Hear): Promise<void> {
    for await (const { topic, payload } of this.#whole.persistence.createRetainedStream(filter)) hear(topic, payload);
  }
}
