import { isObject, parseExact } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import type { Log } from "@penstock/runtime";

/** The gateway's broker, as one of its clients reaches it. */
export interface BrokerLogin {
  /** "mqtt://127.0.0.1:1883" */
  readonly url: string;
  readonly user: string | null;
  readonly password: string | null;
}

export interface ResultsHere {
  /** results that come now are taken */
  isListening(): boolean;
  close(): Promise<void>;
}

/** Takes the results that an eKuiper brings to a broker; the client comes back by itself after a cut. */
export async function takeResults(options: {
  readonly broker: BrokerLogin;
  /** "$ke/ekuiper/results/+" */
  readonly filter: string;
  readonly log: Log;
  take(topic: string, rows: readonly ObjectValue[]): void;
  /** a message that is no list of rows */
  refused(topic: string): void;
}): Promise<ResultsHere> {
  const { broker, filter, log } = options;
  // Loaded only where there is an eKuiper.
  const { connect } = (await import("mqtt")).default;
  const client = connect(broker.url, {
    ...{ clean: true, reconnectPeriod: 1000, connectTimeout: 10_000, protocolVersion: 4 as const },
    ...(broker.user !== null && { username: broker.user }),
    ...(broker.password !== null && { password: broker.password }),
  });
  client.on("error", (error) => log.debug({ error }, "The broker with an eKuiper's results"));
  let isListening = false;
  client.on("close", () => {
    isListening = false;
  });
  client.on("connect", () => {
    client.subscribe(filter, { qos: 1 }, (error, granted = []) => {
      // MQTT 3.1.1, 3.9.3: 128 is a refusal
      isListening = error == null && granted.every(({ qos }) => qos !== 128);
      if (isListening) return;
      log.debug({ error, filter }, "The broker does not let an eKuiper's results be taken: tried again");
      // Rights are looked at when a client comes in, and the first assignment may be on its way.
      client.stream.destroy();
    });
  });
  client.on("message", (topic, payload) => {
    const rows = rowsOf(payload);
    if (rows === null) options.refused(topic);
    else if (rows.length > 0) options.take(topic, rows);
  });
  return { isListening: () => isListening, close: () => client.endAsync(true) };
}

/** Whole numbers beyond 2^53 stay exact. @returns null: it is neither a row nor a list of rows */
function rowsOf(payload: Uint8Array): readonly ObjectValue[] | null {
  try {
    const read: unknown = parseExact(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    const rows = Array.isArray(read) ? read : [read];
    return rows.every(isObject) ? (rows as readonly ObjectValue[]) : null;
  } catch {
    return null;
  }
}
