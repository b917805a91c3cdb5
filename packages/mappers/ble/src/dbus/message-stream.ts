import { type InMessage, messageLength, readMessage } from "./message.ts";

/** Cuts what a socket gives into messages, however it was torn. */
export class MessageStream {
  #waiting: Buffer[] = [];
  #length = 0;
  /** bytes of the message that has begun; null while they are unknown */
  #wanted: number | null = null;

  /** @throws AppError mapper/bad-answer; nothing that follows can be read then */
  push(bytes: Buffer): InMessage[] {
    this.#waiting.push(bytes);
    this.#length += bytes.length;
    const messages: InMessage[] = [];
    // Pieces are joined when there is a message in them, not at each piece: a long one comes in thousands.
    while (this.#length >= (this.#wanted ?? 16)) {
      const all = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting);
      this.#wanted ??= messageLength(all)!;
      this.#waiting = [all];
      if (all.length < this.#wanted) break;
      messages.push(readMessage(all.subarray(0, this.#wanted)));
      const rest = all.subarray(this.#wanted);
      this.#waiting = rest.length === 0 ? [] : [rest];
      this.#length = rest.length;
      this.#wanted = null;
    }
    return messages;
  }
}
