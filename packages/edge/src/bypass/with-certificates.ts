import { parseSparkplugTopic } from "@penstock/wire";
import type { BrokerMessage } from "./broker.ts";

/**
 * Births once more, kept for who comes late and has no right to ask for them; a device's goes with its death.
 *
 * @source Sparkplug 3.0.0, 10.1.4 (Sparkplug Aware MQTT Server): $sparkplug/certificates/ and the topic, retained
 */
export function withCertificates(messages: readonly BrokerMessage[]): BrokerMessage[] {
  return messages.flatMap((message) => {
    const type = parseSparkplugTopic(message.topic)?.type;
    const certificate = { ...message, topic: `$sparkplug/certificates/${message.topic}`, retain: true };
    if (type === "NBIRTH" || type === "DBIRTH") return [message, certificate];
    return type === "DDEATH" ? [message, { ...certificate, payload: new Uint8Array() }] : [message];
  });
}
