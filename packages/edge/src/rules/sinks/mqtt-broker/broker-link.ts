import type { Clock } from "@penstock/runtime";
import type { IClientOptions, MqttClient } from "mqtt";
import { saidBy, unreachable } from "../delivery/peer-error.ts";

export interface BrokerSettings {
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
}
const timeoutMs = 10_000;
const never = 2 ** 31 - 1;

/** Connects to a broker that is not the gateway's own; when the connection ends it is over. @throws AppError rules/sink-unreachable */
export async function connectBroker(
  { url, user, password }: BrokerSettings,
  clock: Clock,
  options: Partial<IClientOptions> & { readonly onMessage?: MqttClient["handleMessage"] } = {},
): Promise<MqttClient> {
  const { onMessage, ...more } = options;
  const { connect } = (await import("mqtt")).default;
  const client = connect(url, {
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...{ protocolVersion: 4, reconnectPeriod: 0, connectTimeout: never, queueQoSZero: false, resubscribe: false },
    ...more,
  });
  // Before the first packet: of a session that the broker has kept, messages follow its CONNACK at once.
  if (onMessage !== undefined) client.handleMessage = onMessage;
  client.on("error", () => {});
  await within(clock, client, `reach ${new URL(url).host}`, (done, fail) => {
    client.once("connect", () => done(null));
    client.once("error", fail);
  });
  return client;
}

/** Waits for an answer of the broker as long as it may take; without one the connection is over. */
export async function within<T>(
  clock: Clock,
  client: MqttClient,
  what: string,
  work: (done: (result: T) => void, fail: (error: Error) => void) => void,
): Promise<T> {
  let cancel = () => {};
  let onClose = () => {};
  try {
    return await new Promise<T>((resolve, reject) => {
      cancel = clock.after(timeoutMs, () => reject(new Error(`no answer in ${timeoutMs} ms`)));
      onClose = () => reject(new Error("the connection was closed"));
      client.once("close", onClose);
      work(resolve, reject);
    });
  } catch (error) {
    void endNow(client);
    throw unreachable(what, saidBy(error), error);
  } finally {
    cancel();
    client.off("close", onClose);
  }
}

export async function endNow(client: MqttClient, isForced = true): Promise<void> {
  await client.endAsync(isForced).catch(() => {});
  client.stream.destroy();
}
