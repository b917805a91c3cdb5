import type { MqttBroker } from "@penstock/model";
import { crc32c } from "@penstock/runtime";
import { connect, type MqttClient } from "mqtt";
import type { BrokerListener } from "./broker.ts";

const betweenTriesMs = 1000;
const connectTimeoutMs = 10_000;

/**
 * Listens at another program's broker, with the gateway's login and a connection of its own: while nobody takes what it
 * hears, nothing more is read from it, and what the gateway says goes on. The broker keeps its session, so what comes with
 * QoS 1 while the gateway is away comes later.
 *
 * @returns what ends it
 */
export function listenAtForeign(options: {
  readonly broker: MqttBroker;
  /** of the gateway; each filter has its own with it */
  readonly clientId: string;
  readonly listener: BrokerListener;
  readonly log: (message: string) => void;
}): () => void {
  const { broker, listener, log } = options;
  const { filter } = listener;
  const client: MqttClient = connect(broker.url, {
    clientId: `${options.clientId}-${crc32c(new TextEncoder().encode(filter)).toString(16)}`,
    ...{ clean: false, protocolVersion: 4, resubscribe: false, queueQoSZero: false },
    ...{ reconnectPeriod: betweenTriesMs, connectTimeout: connectTimeoutMs, keepalive: 30 },
    ...(broker.user !== null && { username: broker.user }),
    ...(broker.password !== null && { password: broker.password }),
  });
  // Called for each message in turn; QoS 1 is acknowledged when it calls back.
  client.handleMessage = ({ topic, payload }, done) => {
    listener.hear(topic, Buffer.from(payload));
    void listener.settled().then(() => done());
  };
  client.on("connect", () => {
    client.subscribe(filter, { qos: 1 }, (error, granted) => {
      if (error) log(error.message);
      else if (granted?.some(({ qos }) => qos > 2) === true) log("the broker refused the subscription");
    });
  });
  client.on("error", (error) => log(error.message || String(error)));
  return () => void client.end(true);
}
