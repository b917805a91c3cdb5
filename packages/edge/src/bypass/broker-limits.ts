import { limits } from "@penstock/model";

/** What one local client, and all of them together, may take of the gateway. */
export interface BrokerLimits {
  readonly packetBytes: number;
  readonly clients: number;
  /** messages and bytes that wait for one slow client; what comes while it is full is dropped for that client, and counted */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** bytes that wait for all clients together: each one's share shrinks as they become many */
  readonly queuedBytesInAll: number;
  readonly subscriptions: number;
  readonly topicBytes: number;
  readonly clientIdBytes: number;
  /** what it may say; beyond, the gateway reads from it later */
  readonly packetsPerSecond: number;
  readonly packetsPerSecondInAll: number;
  readonly retainedTopics: number;
  readonly retainedBytes: number;
  /** messages and bytes that wait for one stage of the gateway that listens; beyond, the oldest go and are counted */
  readonly heardMessages: number;
  readonly heardBytes: number;
  /** a publisher waits so long until they are taken, and then is told that its message arrived */
  readonly heardMs: number;
  /** a client that is full and has taken nothing for so long is disconnected */
  readonly stalledMs: number;
}

export const defaultBrokerLimits: BrokerLimits = {
  packetBytes: limits.mqttPacketBytes,
  clients: limits.mqttClients,
  queuedMessages: limits.mqttQueuePerClient,
  queuedBytes: limits.mqttQueueBytesPerClient,
  queuedBytesInAll: 32 * 1024 * 1024,
  subscriptions: 100,
  topicBytes: 512,
  clientIdBytes: 256,
  packetsPerSecond: limits.mqttPacketsPerSecond,
  packetsPerSecondInAll: limits.mqttPacketsPerSecondInAll,
  retainedTopics: limits.mqttRetainedTopics,
  retainedBytes: limits.mqttRetainedBytes,
  heardMessages: limits.mqttHeardMessages,
  heardBytes: limits.mqttHeardBytes,
  heardMs: 10_000,
  stalledMs: 60_000,
};
