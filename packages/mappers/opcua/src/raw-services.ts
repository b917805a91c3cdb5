import type {
  ClientSession,
  ClientSessionPublishService,
  ClientSessionRawSubscriptionService,
  TransferSubscriptionsRequest,
  TransferSubscriptionsResponse,
} from "node-opcua-client";

export type RawServices = Omit<ClientSessionRawSubscriptionService, "transferSubscriptions"> &
  ClientSessionPublishService & {
    transferSubscriptions(request: TransferSubscriptionsRequest): Promise<TransferSubscriptionsResponse>;
  };

/** The subscription services as they are; the library declares them apart from the class that has them all. */
export function rawServices(session: ClientSession): RawServices {
  return session as unknown as RawServices;
}
