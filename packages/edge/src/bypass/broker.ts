/** The MQTT broker at the edge as the bypass sees it; embedded or, by one setting, another program. */
export interface Broker {
  readonly address: BrokerAddress;
  /** false when nobody would receive anything, so that nothing need be encoded */
  readonly hasClients: boolean;
  /**
   * Hands one message to every subscriber. Resolves when it is in their bounded queues, or dropped there and counted; a
   * slow subscriber never makes it wait. Callers wait for one message before the next, which keeps the order.
   */
  publish(message: BrokerMessage): Promise<void>;
  /** resolves when the port is free and every client is gone */
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
}
