import {
  type CallOptions,
  type MapperConnection,
  type Point,
  type PointResult,
  subscribes,
} from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import type { Clock } from "@penstock/runtime";
import type { MapperToAgent, PointSpec } from "@penstock/wire";
import { GroupNews } from "./group-news.ts";

/** A group as it was announced, as far as a subscription needs it. */
export interface SubscribedGroup {
  readonly connection: string;
  readonly device: string;
  readonly specs: readonly PointSpec[];
  /** what the driver is asked for; the same array each time, so that it can keep its plan */
  readonly points: readonly Point[];
  /** position in the group of each of them */
  readonly rowOf: readonly number[];
  /** positions whose settings break a rule; the driver never sees them */
  readonly invalidRows: readonly number[];
}

/** What is subscribed to, or is about to be. */
interface Subscription {
  readonly connection: string;
  readonly news: GroupNews;
  readonly ended: AbortController;
}

/** The subscriptions of one mapper: at most one a group, over when its connection is. */
export class Subscriptions {
  readonly #clock: Clock;
  readonly #send: (message: MapperToAgent) => void;
  readonly #all = new Map<number, Subscription>();

  constructor(options: { readonly clock: Clock; readonly send: (message: MapperToAgent) => void }) {
    this.#clock = options.clock;
    this.#send = options.send;
  }

  /**
   * Resolves when the device has agreed; takes the place of an earlier one of the group.
   *
   * @param using hands out the group's connection for as long as the agreement may take
   * @throws AppError mapper/unsupported, or what `using` and the driver throw; then nothing is left of it
   */
  async begin(
    number: number,
    group: SubscribedGroup,
    using: (work: (connection: MapperConnection, call: CallOptions) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    this.end(number);
    const { connection, device, specs: points, rowOf } = group;
    const news = new GroupNews({ group: number, device, points, clock: this.#clock, send: this.#send });
    const subscription: Subscription = { connection, news, ended: new AbortController() };
    const ended = subscription.ended.signal;
    this.#all.set(number, subscription);
    const each = (i: number, result: PointResult) => {
      const row = rowOf[i];
      if (row !== undefined) news.add(row, result);
    };
    try {
      await using((open, call) => {
        if (!subscribes(open)) {
          const text = `Cannot subscribe to group ${number}: its devices tell nothing by themselves`;
          throw new AppError("mapper/unsupported", text);
        }
        return open.subscribe(group.points, { each, ended, room: () => news.room(), ...call });
      });
    } catch (error) {
      if (this.#all.get(number) === subscription) this.end(number);
      throw error;
    }
    // The connection may have been lost in the same moment.
    if (ended.aborted) throw ended.reason;
    for (const row of group.invalidRows) news.add(row, { value: null, reason: "input/invalid" });
  }

  /** the agent has taken one message of the group's news */
  taken(number: number): void {
    this.#all.get(number)?.news.taken();
  }

  end(number: number, error = new AppError("aborted", "Nobody wants the values any more")): void {
    const known = this.#all.get(number);
    if (known === undefined) return;
    this.#all.delete(number);
    known.news.close();
    known.ended.abort(error);
  }

  endAll(): void {
    for (const number of [...this.#all.keys()]) this.end(number);
  }

  connectionEnded(name: string, error: AppError): void {
    for (const [group, { connection, news }] of [...this.#all]) {
      if (connection !== name) continue;
      // What had come before the end is told before it.
      news.flush();
      this.end(group, error);
      this.#send({ t: "unsubscribed", group, code: error.code, message: error.message });
    }
  }
}
