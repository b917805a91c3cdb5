import type { RuleSourceSpec } from "@penstock/model";
import { crc32c, sleep } from "@penstock/runtime";
import type { IPublishPacket, MqttClient } from "mqtt";
import { saidBy } from "../sinks/delivery/peer-error.ts";
import { connectBroker, endNow, within } from "../sinks/mqtt-broker/broker-link.ts";
import { badMessages } from "./bad-messages.ts";
import { jsonRows } from "./json-rows.ts";
import { RowGate } from "./row-gate.ts";
import type { Source, SourceParts } from "./source-parts.ts";

const firstMs = 1_000;
const longestMs = 60_000;

/**
 * Messages of a topic, each a row or a list of rows. At least once from a broker elsewhere: what it sends with QoS 1 is
 * acknowledged when the rules have it, and the broker keeps the session meanwhile. The gateway's own broker keeps no
 * sessions: what comes while the gateway is away is gone.
 */
export function openMqttSource(spec: NonNullable<RuleSourceSpec["mqtt"]>, parts: SourceParts): Source {
  const { clock, log, name, metrics, random } = parts;
  const gate = new RowGate(parts);
  const bad = badMessages(parts);
  const failed = metrics.counter("penstock_rules_source_failures_total", "Times that a source could not be reached", {
    source: name,
  });
  const abort = new AbortController();
  const { broker, topic } = spec;
  let client: MqttClient | null = null;

  const take = async ({ topic: from, payload }: IPublishPacket) => {
    const rows = jsonRows(Buffer.from(payload as Uint8Array).toString("utf8"));
    if (rows === null) bad(from);
    else await gate.give(rows, { topic: from });
  };
  const connected = async (): Promise<MqttClient> => {
    // The same again after a restart, so that the broker knows its session.
    const id = crc32c(new TextEncoder().encode(`${parts.node} ${name}`)).toString(16);
    const session = broker === undefined ? {} : { clean: false, clientId: `penstock-${id}` };
    const found = await connectBroker(broker ?? parts.localBroker(), clock, {
      ...session,
      // Called for each message in turn; QoS 1 is acknowledged when it calls back.
      onMessage: (packet, done) => void take(packet).then(() => done(), done),
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
      gate.close();
      if (client !== null) await endNow(client);
      await running;
    },
  };
}
