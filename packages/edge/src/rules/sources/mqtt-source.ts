import { AppError, checkTopicFilter, type RuleSourceSpec } from "@penstock/model";
import { crc32c, sleep } from "@penstock/runtime";
import type { MqttClient } from "mqtt";
import { saidBy } from "../sinks/delivery/peer-error.ts";
import { type BrokerSettings, connectBroker, endNow, within } from "../sinks/mqtt-broker/broker-link.ts";
import { badMessages } from "./bad-messages.ts";
import { jsonRows } from "./json-rows.ts";
import { RowGate } from "./row-gate.ts";
import type { Source, SourceParts } from "./source-parts.ts";

const firstMs = 1_000;
const longestMs = 60_000;

/**
 * Messages of a topic, each a row or a list of rows, at least once: what is sent with QoS 1 is acknowledged when the rules
 * have it. A broker elsewhere keeps the session while the gateway is away; the gateway's own broker is away with it, and
 * its publishers send again.
 *
 * @throws AppError input/invalid for what is no filter
 */
export function openMqttSource({ topic, broker }: NonNullable<RuleSourceSpec["mqtt"]>, parts: SourceParts): Source {
  const gate = new RowGate(parts);
  const bad = badMessages(parts);
  const take: TakeMessage = async (from, payload) => {
    const rows = jsonRows(new TextDecoder().decode(payload));
    if (rows === null) bad(from);
    else await gate.give(rows, { topic: from });
  };
  const source = broker === undefined ? openHere(topic, take, parts) : openElsewhere({ topic, broker }, take, parts);
  return {
    async close() {
      // First: what has not been taken is not acknowledged any more.
      gate.close();
      await source.close();
    },
  };
}

type TakeMessage = (topic: string, payload: Uint8Array) => Promise<void>;

function openHere(topic: string, take: TakeMessage, { listen }: SourceParts): Source {
  const [fault] = checkTopicFilter(topic, "topic");
  if (fault !== undefined) throw new AppError("input/invalid", `Cannot listen at ${fault.value}: it ${fault.rule}`);
  return listen(topic, async (messages) => {
    await Promise.all(messages.map((message) => take(message.topic, message.payload)));
  });
}

function openElsewhere(
  { topic, broker }: { readonly topic: string; readonly broker: BrokerSettings },
  take: TakeMessage,
  { clock, log, name, metrics, random, node }: SourceParts,
): Source {
  const failed = metrics.counter("penstock_rules_source_failures_total", "Times that a source could not be reached", {
    source: name,
  });
  const abort = new AbortController();
  let client: MqttClient | null = null;
  // The same again after a restart, so that the broker knows its session.
  const clientId = `penstock-${crc32c(new TextEncoder().encode(`${node} ${name}`)).toString(16)}`;

  const connected = async (): Promise<MqttClient> => {
    const found = await connectBroker(broker, clock, {
      ...{ clean: false, clientId },
      // Called for each message in turn; QoS 1 is acknowledged when it calls back.
      onMessage: ({ topic: from, payload }, done) =>
        void take(from, Buffer.from(payload as Uint8Array)).then(() => done(), done),
    });
    await within<null>(clock, found, `subscribe to ${topic}`, (done, fail) =>
      found.subscribe(topic, { qos: 1 }, (error, granted) => {
        if (error) fail(error);
        else if (granted?.some(({ qos }) => qos > 2) === true) fail(new Error("the broker refused"));
        else done(null);
      }),
    );
    return found;
  };
  const run = async () => {
    for (let failures = 0; !abort.signal.aborted; ) {
      try {
        client = await connected();
        failures = 0;
        // Closed meanwhile: nobody else knows of this connection.
        if (abort.signal.aborted) await endNow(client);
        await new Promise<void>((resolve) => {
          if (client!.connected) client!.once("close", resolve);
          else resolve();
        });
      } catch (error) {
        if (failures++ === 0) log.warn({ source: name, reason: saidBy(error) }, "A source of a rule cannot be reached");
      }
      if (abort.signal.aborted) return;
      failed.add();
      const pauseMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures, 10)) * (0.5 + random.number() / 2);
      await sleep(clock, pauseMs, abort.signal).catch(() => {});
    }
  };
  const running = run();
  return {
    async close() {
      abort.abort();
      if (client !== null) await endNow(client);
      await running;
    },
  };
}
