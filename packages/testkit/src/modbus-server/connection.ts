import type { Socket } from "node:net";
import { answerRequest, exceptionAnswer } from "./answer.ts";
import { ModbusException } from "./codes.ts";
import { encodeFrame, FrameSplitter, type ModbusFrame } from "./frame.ts";
import { decodeRequest, type ModbusRequest } from "./request.ts";
import type { ServerStats } from "./stats.ts";
import type { RequestHook, Treatment } from "./treatment.ts";
import type { ModbusUnit } from "./unit.ts";

export interface ConnectionOptions {
  readonly id: number;
  readonly socket: Socket;
  readonly units: ReadonlyMap<number, ModbusUnit>;
  readonly stats: ServerStats;
  readonly hook: () => RequestHook | null;
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** One client: its requests are answered one by one, in the order they came, however many are under way. */
export class ServerConnection {
  readonly #options: ConnectionOptions;
  readonly #splitter = new FrameSplitter();
  /** bound: what one client has sent and not been answered; reading pauses while it is longer than this */
  readonly #waiting: ModbusFrame[] = [];
  #cancelDelay: (() => void) | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    options.socket.on("data", (chunk) => this.#take(chunk));
    options.socket.on("close", () => this.#cancelDelay?.());
    // A client that resets the connection is no fault of the server; "close" follows.
    options.socket.on("error", () => {});
    options.socket.setNoDelay(true);
  }

  #take(chunk: Uint8Array): void {
    this.#waiting.push(...this.#splitter.push(chunk));
    if (this.#waiting.length > 1000) this.#options.socket.pause();
    this.#work();
    if (this.#splitter.broken) this.#options.socket.destroy();
  }

  #work(): void {
    const { socket } = this.#options;
    if (this.#cancelDelay !== null) return;
    socket.cork();
    for (let frame = this.#waiting.shift(); frame !== undefined && !socket.destroyed; frame = this.#waiting.shift()) {
      if (!this.#handle(frame)) break;
    }
    socket.uncork();
    if (this.#waiting.length === 0 && socket.isPaused()) socket.resume();
  }

  /** @returns false while the answer is delayed */
  #handle(frame: ModbusFrame): boolean {
    const { stats, id } = this.#options;
    stats.requests++;
    let request: ModbusRequest | null = null;
    let refused: Uint8Array | null = null;
    try {
      request = decodeRequest(frame.pdu);
    } catch (error) {
      if (!(error instanceof ModbusException)) throw error;
      refused = exceptionAnswer(frame.pdu[0] ?? 0, error.exception);
    }
    const treatment =
      this.#options.hook()?.({ connection: id, transaction: frame.transaction, unit: frame.unit, request }) ?? null;
    if (treatment?.kind !== "delay") {
      this.#answer(frame, request, refused, treatment);
      return true;
    }
    this.#cancelDelay = this.#options.after(treatment.delayMs, () => {
      this.#cancelDelay = null;
      this.#answer(frame, request, refused, null);
      this.#work();
    });
    return false;
  }

  #answer(
    frame: ModbusFrame,
    request: ModbusRequest | null,
    refused: Uint8Array | null,
    treatment: Treatment | null,
  ): void {
    const { socket, stats, units } = this.#options;
    if (socket.destroyed) return;
    const isRead = request?.kind === "read-bits" || request?.kind === "read-registers";
    if (treatment?.kind === "close" || (treatment !== null && isRead && treatment.kind === "drop")) {
      stats.spoilt++;
      if (treatment.kind === "close") socket.destroy();
      return;
    }
    const unit = units.get(frame.unit);
    let pdu: Uint8Array;
    if (treatment?.kind === "exception") pdu = exceptionAnswer(frame.pdu[0] ?? 0, treatment.exception);
    else if (refused !== null || request === null) pdu = refused ?? exceptionAnswer(0, "illegalFunction");
    else if (unit === undefined) pdu = exceptionAnswer(request.code, "gatewayNoResponse");
    else pdu = answerRequest(unit, request, treatment === null);

    if (treatment !== null && treatment.kind !== "exception") stats.spoilt++;
    else stats.count(request, pdu);
    this.#send({ transaction: frame.transaction, unit: frame.unit, pdu }, treatment);
  }

  #send(answer: ModbusFrame, treatment: Treatment | null): void {
    const { socket } = this.#options;
    switch (treatment?.kind) {
      case "drop":
        return;
      case "wrong-transaction":
        socket.write(encodeFrame({ ...answer, transaction: (answer.transaction + 0x5555) & 0xffff }));
        return;
      case "half": {
        const bytes = encodeFrame(answer);
        socket.write(bytes.subarray(0, bytes.length >> 1));
        if (treatment.thenClose === true) socket.end();
        return;
      }
      case "garbage":
        socket.write(treatment.bytes);
        return;
      default:
        socket.write(encodeFrame(answer));
    }
  }
}
