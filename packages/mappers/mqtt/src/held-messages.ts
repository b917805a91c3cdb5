import type { OpenContext } from "@penstock/mapper-sdk";
import type { Message } from "./broker-link.ts";

/** Subscriptions come as the agent's lines take their turns. */
const keepMs = 30_000;
const mostMessages = 20_000;
const mostBytes = 16 * 1024 * 1024;

export interface HeldMessage extends Message {
  /** when it came, by the driver's clock */
  readonly at: number;
}

/**
 * What a broker kept for our session comes before anybody has subscribed: held for a while, in order, for whoever asks.
 * Bounded; the oldest go, and that is logged.
 */
export class HeldMessages {
  readonly #context: Pick<OpenContext, "clock" | "log">;
  #messages: HeldMessage[] = [];
  #bytes = 0;
  #dropped = 0;
  #isOver = false;
  #cancel = () => {};

  constructor(context: Pick<OpenContext, "clock" | "log">) {
    this.#context = context;
  }

  add(message: Message): void {
    if (this.#isOver) return;
    this.#messages.push({ ...message, at: this.#context.clock.monotonic() });
    this.#bytes += message.payload.length;
    let gone = 0;
    while (this.#messages.length - gone > mostMessages || this.#bytes > mostBytes) {
      this.#bytes -= this.#messages[gone]!.payload.length;
      gone++;
    }
    if (gone > 0) this.#messages = this.#messages.slice(gone);
    this.#dropped += gone;
  }

  keep(): void {
    this.#cancel = this.#context.clock.after(keepMs, () => this.drop());
  }

  /** in the order they came, of all topics; they stay for others */
  get messages(): readonly HeldMessage[] {
    return this.#messages;
  }

  drop(): void {
    this.#cancel();
    this.#isOver = true;
    if (this.#dropped > 0) {
      this.#context.log.warn(
        { dropped: this.#dropped },
        "The broker had kept more than can be held; the oldest are lost",
      );
    }
    this.#messages = [];
    this.#bytes = 0;
    this.#dropped = 0;
  }
}
