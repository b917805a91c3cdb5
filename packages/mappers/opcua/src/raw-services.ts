import type {
  ClientSession,
  ClientSessionPublishService,
  ClientSessionRawSubscriptionService,
} from "node-opcua-client";

export type RawServices = ClientSessionRawSubscriptionService & ClientSessionPublishService;

/** The subscription services as they are; the library declares them apart from the class that has them all. */
export function rawServices(session: ClientSession): RawServices {
  return session as unknown as RawServices;
}
