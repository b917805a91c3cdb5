import type { DriverClock, DriverLog } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import {
  CreateSubscriptionRequest,
  type NotificationMessage,
  PublishRequest,
  type PublishResponse,
  RepublishRequest,
  type RepublishResponse,
  StatusCodes,
  TransferSubscriptionsRequest,
} from "node-opcua-client";
import { rawServices } from "./raw-services.ts";
import { ServerSubscription } from "./server-subscription.ts";
import { messageOf, type Session, statusIn } from "./session.ts";

interface Acknowledgement {
  readonly subscriptionId: number;
  readonly sequenceNumber: number;
}

/** How often a silent subscription says that it is there. */
const keepAliveMs = 3000;
/** questions for news under way at most; each answered one is handed on before the next is asked, so nothing piles up */
const mostInFlight = 10;
/**
 * Changes in one message; the server sends what is more in further ones at once. So the answers to all questions under way
 * find room beside what may wait in the runner before it says that it is full.
 */
const mostPerMessage = 2000;
/** A subscription that nobody asks for news would end; so one more message is fetched when there was no room for so long. */
const patienceMs = keepAliveMs;
/** acknowledgements that wait; beyond, the server finds out by itself */
const mostAcknowledgements = 1000;

/**
 * The subscriptions of one session, one for each publishing interval, and the questions that their news come by. The
 * library's own way loses a message when a keep-alive came last before a cut, so that here stands another.
 *
 * @source OPC UA 1.05 Part 4, 5.14 and 6.7
 */
export class Publisher {
  readonly #session: Session;
  readonly #clock: DriverClock;
  readonly #log: DriverLog;
  readonly #holdMs: number;
  readonly #subscriptions = new Map<number, Promise<ServerSubscription>>();
  readonly #byId = new Map<number, ServerSubscription>();
  #acknowledgements: Acknowledgement[] = [];
  #inFlight = 0;
  #most = mostInFlight;
  /** answers to what was asked before a cut belong to an earlier one */
  #generation = 0;
  #isPaused = false;
  #cancelHold: (() => void) | null = null;

  constructor(options: {
    readonly session: Session;
    readonly clock: DriverClock;
    readonly log: DriverLog;
    readonly holdMs: number;
  }) {
    this.#session = options.session;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#holdMs = options.holdMs;
  }

  /** The subscription with that interval; made when there is none. */
  async at(publishingMs: number, signal: AbortSignal): Promise<ServerSubscription> {
    let made = this.#subscriptions.get(publishingMs);
    if (made === undefined) {
      made = this.#make(publishingMs, signal);
      this.#subscriptions.set(publishingMs, made);
      made.catch(() => this.#subscriptions.delete(publishingMs));
    }
    return made;
  }

  /** To be called when the last item of one has gone. */
  async remove(subscription: ServerSubscription): Promise<void> {
    if (subscription.items.size > 0 || !this.#byId.delete(subscription.id)) return;
    this.#subscriptions.delete(subscription.publishingMs);
    await this.#delete(subscription.id);
  }

  cut(): void {
    this.#generation++;
    this.#inFlight = 0;
    this.#isPaused = true;
    if (this.#byId.size === 0) {
      this.#session.end(new AppError("mapper/connection-lost", "The line to the server was cut"));
      return;
    }
    this.#cancelHold ??= this.#clock.after(this.#holdMs, () => {
      const text = `The line to the server was cut for more than ${this.#holdMs} ms`;
      this.#session.end(new AppError("mapper/connection-lost", text));
    });
  }

  /** @param isNew the session is another one */
  async restored(isNew: boolean): Promise<void> {
    this.#cancelHold?.();
    this.#cancelHold = null;
    const generation = this.#generation;
    const isOurs = !isNew || (await this.#takeOver());
    if (generation !== this.#generation) return;
    if (!isOurs) {
      this.#over("The server does not know our session any more");
      return;
    }
    for (const subscription of [...this.#byId.values()]) {
      subscription.restored();
      await this.#catchUp(subscription, generation);
      if (generation !== this.#generation) return;
    }
    this.#isPaused = false;
    this.#pump();
  }

  close(): void {
    this.#generation++;
    this.#isPaused = true;
    this.#cancelHold?.();
    this.#byId.clear();
  }

  /**
   * The subscriptions of the session that the server has forgotten, with what their queues hold. Only of the same life of the
   * server: another one numbers anew, and the numbers may be somebody else's. It refuses strangers, and those who are nobody
   * over a line without security.
   *
   * @source OPC UA 1.05 Part 4, 5.14.7
   */
  async #takeOver(): Promise<boolean> {
    const never = new AbortController().signal;
    const subscriptionIds = [...this.#byId.keys()];
    const request = new TransferSubscriptionsRequest({ subscriptionIds, sendInitialValues: false });
    try {
      if (!(await this.#session.isSameServer(never))) return false;
      const { results } = await this.#session.ask("take over subscriptions", never, (session) =>
        rawServices(session).transferSubscriptions(request),
      );
      return subscriptionIds.every((_, i) => results?.[i]?.statusCode.isGood() === true);
    } catch (error) {
      this.#log.debug({ error: String(error) }, "The subscriptions were not taken over");
      return false;
    }
  }

  async #make(publishingMs: number, signal: AbortSignal): Promise<ServerSubscription> {
    const keepAlives = Math.max(1, Math.round(keepAliveMs / publishingMs));
    const request = new CreateSubscriptionRequest({
      requestedPublishingInterval: publishingMs,
      requestedMaxKeepAliveCount: keepAlives,
      // Part 4, 5.14.2.2: at least three times the keep-alive count
      requestedLifetimeCount: Math.max(keepAlives * 3, Math.ceil(this.#holdMs / publishingMs)),
      maxNotificationsPerPublish: mostPerMessage,
      publishingEnabled: true,
      priority: 0,
    });
    const made = await this.#session.ask("subscribe", signal, (session) =>
      rawServices(session).createSubscription(request),
    );
    const subscription = new ServerSubscription({
      id: made.subscriptionId,
      publishingMs,
      keepAliveMs: made.revisedPublishingInterval * made.revisedMaxKeepAliveCount,
      session: this.#session.session,
      ended: (status) => this.#over(`The server ended a subscription: ${status.name}`),
    });
    this.#byId.set(subscription.id, subscription);
    this.#pump();
    return subscription;
  }

  #pump(): void {
    const wanted = this.#byId.size === 0 ? 0 : Math.min(this.#byId.size + 2, this.#most);
    while (!this.#isPaused && this.#inFlight < wanted) this.#ask();
  }

  #ask(): void {
    this.#inFlight++;
    const generation = this.#generation;
    const subscriptionAcknowledgements = this.#acknowledgements;
    this.#acknowledgements = [];
    const slowest = Math.max(keepAliveMs, ...[...this.#byId.values()].map((subscription) => subscription.keepAliveMs));
    // A question waits its turn behind the others; the server says something at each keep-alive at the latest.
    const timeoutHint = Math.min(0x7fff_ffff, Math.ceil(slowest * 2 * (mostInFlight + 1)));
    const request = new PublishRequest({ requestHeader: { timeoutHint }, subscriptionAcknowledgements });
    rawServices(this.#session.session).publish(request, (error: Error | null, response?: PublishResponse) => {
      if (error !== null && error !== undefined) this.#acknowledge(subscriptionAcknowledgements);
      if (generation !== this.#generation) return;
      this.#inFlight--;
      if (response !== undefined && (error === null || error === undefined)) void this.#answered(response);
      else this.#failed(error);
    });
  }

  async #answered({ subscriptionId, notificationMessage }: PublishResponse): Promise<void> {
    const subscription = this.#byId.get(subscriptionId);
    if (subscription === undefined) {
      // Made by a question whose answer came too late: nobody knows it.
      if (this.#subscriptions.size === this.#byId.size) await this.#delete(subscriptionId);
      return this.#pump();
    }
    await this.#take(subscription, notificationMessage);
    await this.#handedOn(subscription);
    this.#pump();
  }

  /** What has come has left us, and there is room for more: until then the server's queues keep it. */
  async #handedOn(subscription: ServerSubscription): Promise<void> {
    await subscription.settled;
    const full = [...subscription.rooms].map((room) => room()).filter((room) => room !== null);
    if (full.length === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(patienceMs, resolve);
      void Promise.all(full).then(() => {
        cancel();
        resolve();
      });
    });
  }

  async #take(subscription: ServerSubscription, message: NotificationMessage): Promise<void> {
    const isKeepAlive = (message.notificationData ?? []).length === 0;
    if (!isKeepAlive) this.#acknowledge([{ subscriptionId: subscription.id, sequenceNumber: message.sequenceNumber }]);
    const { missing, lost } = subscription.take(message);
    this.#report(subscription, lost);
    if (missing.length > 0) await this.#fetch(subscription, missing);
  }

  /** Messages that were sent and did not come. */
  async #fetch(subscription: ServerSubscription, missing: readonly number[]): Promise<void> {
    for (const number of missing) {
      const generation = this.#generation;
      if (subscription.due !== number) continue;
      const message = await this.#again(subscription, number);
      if (generation !== this.#generation) return;
      if (message !== null) await this.#take(subscription, message);
      else this.#report(subscription, subscription.gone(number).lost);
    }
  }

  /** After a cut: what the server has sent in vain, before anything new. */
  async #catchUp(subscription: ServerSubscription, generation: number): Promise<void> {
    for (;;) {
      const number = subscription.due;
      const message = await this.#again(subscription, number);
      if (generation !== this.#generation) return;
      if (message !== null) {
        await this.#take(subscription, message);
        await this.#handedOn(subscription);
      } else if (subscription.isHolding) this.#report(subscription, subscription.gone(number).lost);
      else return;
    }
  }

  /** @returns null when the server does not have it (any more) */
  #again(subscription: ServerSubscription, number: number): Promise<NotificationMessage | null> {
    const request = new RepublishRequest({ subscriptionId: subscription.id, retransmitSequenceNumber: number });
    return new Promise((resolve) => {
      rawServices(this.#session.session).republish(request, (error: Error | null, response?: RepublishResponse) => {
        if (response?.responseHeader.serviceResult.isGood()) {
          return resolve(response.notificationMessage);
        }
        const status = response?.responseHeader.serviceResult ?? statusIn(error);
        if (status?.equals(StatusCodes.BadSubscriptionIdInvalid) || status?.equals(StatusCodes.BadSessionIdInvalid)) {
          this.#over(`The server does not know our subscription any more: ${status.name}`);
        }
        resolve(null);
      });
    });
  }

  #failed(error: Error | null): void {
    const status = statusIn(error);
    if (status?.equals(StatusCodes.BadTooManyPublishRequests)) {
      this.#most = Math.max(1, this.#inFlight);
      return;
    }
    if (status?.equals(StatusCodes.BadNoSubscription) && this.#byId.size === 0) return;
    if (status === null || /Connection|SecureChannel|Tcp|Timeout/.test(status.name)) {
      // The line is cut, as an event will say in a moment; or a question was too old, and another takes its place.
      if (/timeout/i.test(messageOf(error))) this.#pump();
      return;
    }
    this.#over(`The server gives no news any more: ${messageOf(error)}`);
  }

  #over(text: string): void {
    this.#session.end(new AppError("mapper/connection-lost", text));
  }

  #acknowledge(more: readonly Acknowledgement[]): void {
    this.#acknowledgements.push(...more);
    if (this.#acknowledgements.length > mostAcknowledgements) this.#acknowledgements.splice(0, more.length);
  }

  #report(subscription: ServerSubscription, lost: number): void {
    if (lost === 0) return;
    const fields = { subscription: subscription.id, messages: lost };
    this.#log.warn(fields, "The server no longer had messages that were lost on the way");
  }

  async #delete(id: number): Promise<void> {
    const never = new AbortController().signal;
    await this.#session
      .ask("unsubscribe", never, async (session) => {
        await rawServices(session).deleteSubscriptions({ subscriptionIds: [id] });
      })
      .catch((error: unknown) => this.#log.debug({ error: String(error) }, "A subscription was not deleted"));
  }
}
