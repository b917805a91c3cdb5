import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setOffset, setUnit } from "./shape.ts";

/** Function 16, two registers, and function 3 for the same two. */
const write = Uint8Array.of(0, 0, 0, 0, 0, 11, setUnit, 16, 0, setOffset, 0, 2, 4, 0, 0, 0, 0);
const read = Uint8Array.of(0, 0, 0, 0, 0, 6, setUnit, 3, 0, setOffset, 0, 2);
const answerBytes = { write: 12, read: 13 };

/** The device's own round trips from a plain socket: the same two questions that a set value needs, and nothing else. */
export class BareDevice {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<BareDevice> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect");
    return new BareDevice(socket);
  }

  /** @returns milliseconds that writing and reading back took */
  async setAndReadBack(value: number): Promise<number> {
    const question = Buffer.from(write);
    question.writeFloatBE(value, 13);
    const from = performance.now();
    await this.#ask(question, answerBytes.write);
    const answer = await this.#ask(Buffer.from(read), answerBytes.read);
    const took = performance.now() - from;
    const held = answer.readFloatBE(9);
    if (held !== Math.fround(value)) throw new Error(`The device holds ${held} after ${value} was written`);
    return took;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #ask(question: Buffer, bytes: number): Promise<Buffer> {
    this.#socket.write(question);
    let held: Buffer = Buffer.alloc(0);
    while (held.length < bytes) held = Buffer.concat([held, ((await once(this.#socket, "data")) as [Buffer])[0]]);
    return held;
  }
}
