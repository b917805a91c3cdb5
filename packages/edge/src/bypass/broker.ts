/** The MQTT broker at the edge as the bypass sees it; embedded or, by one setting, another program. */
export interface Broker {
  readonly address: BrokerAddress;
  /** false when nobody would receive anything, so that nothing need be encoded */
  readonly hasClients: boolean;
  /**
   * Hands one message to every subscriber. Resolves when it is in their bounded queues, or dropped there and counted; a
   * slow subscriber or a broker that is away never makes it wait. Callers wait for one message before the next, which
   * keeps the order.
   */
  publish(message: BrokerMessage): Promise<void>;
  /**
   * As `publish`, in its order, for who can wait: resolves when the broker has the message. The embedded one has it as soon
   * as `publish` would say so.
   *
   * @throws AppError bypass/broker-away: it is away, or has too much to do
   */
  deliver(message: BrokerMessage): Promise<void>;
  /**
   * Tells a stage of the gateway what anybody publishes under its filter, the retained messages first, without a client of
   * the embedded broker between. @returns what ends it
   */
  listen(listener: BrokerListener): () => void;
  /** resolves when the port is free and every client is gone, or the connection closed */
  close(): Promise<void>;
}
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}
export interface BrokerMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  /** kept for late subscribers */
  readonly retain: boolean;
  /** of no use later: it does not wait for a broker that is away */
  readonly isOfNow?: boolean;
}

/** A stage of the gateway that listens. */
export interface BrokerListener {
  readonly filter: string;
  /** never throws, never waits: its bound is its own */
  hear(topic: string, payload: Uint8Array): void;
  /** resolves when what it has heard by now is taken for good, or given up */
  settled(): Promise<void>;
}

/** What a broker does with the gateway besides taking its messages. */
export interface BrokerUse {
  /** filters of what others may tell the gateway */
  readonly commands: readonly string[];
  /** a message that came to one of them; never throws */
  command(topic: string, payload: Uint8Array): void;
  /** what the broker shall say when the gateway is lost; asked for once for each connection. null = nothing */
  will(): BrokerMessage | null;
  /** The broker is there, for the first time or again: what subscribers must hear before anything else. */
  greeting(): readonly BrokerMessage[];
  /** said when the gateway goes in order */
  lastWords(): BrokerMessage | null;
}
