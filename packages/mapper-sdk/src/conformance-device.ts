import type { Socket } from "node:net";
import { ConformanceServer } from "./conformance-server.ts";

/**
 * What the device does with a question: answers it; says nothing; answers it only when the next is asked, with another value
 * and before that one's answer; answers another question; sends what is no answer at all; leaves the end of the answer out;
 * ends the connection; refuses it.
 */
export type DeviceManner = "right" | "silent" | "late" | "wrong" | "garbage" | "half" | "ends" | "refuses";

/** Where a device on TCP is. */
export interface TcpPlace {
  readonly host: string;
  readonly port: number;
}

/**
 * The device that the kit's tests play with: on TCP, or wherever a mapper finds it. A question is a read of the point or a
 * write; what else a protocol says is none.
 */
export interface ConformanceDevice<Place = TcpPlace> {
  /** silent at first */
  manner: DeviceManner;
  /** questions since the start */
  readonly questions: number;
  readonly connections: number | Promise<number>;
  /** resolves when so many questions have come since the start */
  asked(count: number): Promise<void>;
  /** @param port of the place where another one listened before, where places have one; any free one when missing */
  listen(port?: number): Promise<Place>;
  /** nobody listens any more, and no connection is left */
  close(): Promise<void>;
  /** where something stands between device and mapper: resolves when what the device has said has passed it */
  settled?(): Promise<void>;
}

/** For protocols whose answers follow from the bytes of the question. */
export interface AnswersByBytes {
  /** length of the first request in the bytes so far, 0 when it is not yet whole */
  readonly cut: (bytes: Uint8Array) => number;
  /** answers what a client says while it opens a connection, before its first question; null for everything else */
  readonly greeting?: (request: Uint8Array) => Uint8Array | null;
  readonly right: (request: Uint8Array) => Uint8Array;
  /** the answer to this question, with another value */
  readonly other: (request: Uint8Array) => Uint8Array;
  /** well formed, with another value, but the answer to another question */
  readonly wrong: (request: Uint8Array) => Uint8Array;
  readonly garbage: Uint8Array;
  /** the device refuses the write */
  readonly refusal: { readonly answer: (request: Uint8Array) => Uint8Array };
}

export class BytesDevice implements ConformanceDevice {
  manner: DeviceManner = "silent";
  readonly #server: ConformanceServer;
  readonly #answers: AnswersByBytes;
  #late: Uint8Array | null = null;

  constructor(answers: AnswersByBytes) {
    this.#answers = answers;
    this.#server = new ConformanceServer(answers.cut, answers.greeting);
    this.#server.behaviour = (request, socket) => this.#answer(request, socket);
  }

  get questions(): number {
    return this.#server.requests.length;
  }

  get connections(): number {
    return this.#server.connections;
  }

  asked(count: number): Promise<void> {
    return this.#server.asked(count);
  }

  listen(port?: number): Promise<TcpPlace> {
    return this.#server.listen(port);
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #answer(request: Uint8Array, socket: Socket): void {
    const { right, other, wrong, garbage, refusal } = this.#answers;
    switch (this.manner) {
      case "right":
        socket.write(right(request));
        return;
      case "silent":
        return;
      case "late":
        if (this.#late === null) {
          this.#late = other(request);
          return;
        }
        socket.write(this.#late);
        socket.write(right(request));
        return;
      case "wrong":
        socket.write(wrong(request));
        return;
      case "garbage":
        socket.write(garbage);
        return;
      case "half":
        socket.write(right(request).subarray(0, -1));
        return;
      case "ends":
        socket.destroy();
        return;
      case "refuses":
        socket.write(refusal.answer(request));
        return;
    }
  }
}
