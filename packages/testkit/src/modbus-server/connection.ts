import type { Socket } from "node:net";
import { answerRequest, exceptionAnswer } from "./answer.ts";
import { ModbusException } from "./codes.ts";
import type { Framing, ModbusFrame, Splitter } from "./frame.ts";
import type { PacedWire, ServerClock } from "./paced-wire.ts";
import { decodeRequest, isRead, type ModbusRequest } from "./request.ts";
import type { ServerStats } from "./stats.ts";
import type { RequestHook, Treatment } from "./treatment.ts";
import type { ModbusUnit } from "./unit.ts";

export interface ConnectionOptions {
  readonly id: number;
  /** of a network or of a terminal */
  readonly socket: Socket;
  readonly framing: Framing;
  readonly wire: PacedWire | null;
  readonly units: ReadonlyMap<number, ModbusUnit>;
  readonly dead: () => ReadonlySet<number>;
  readonly stats: ServerStats;
  readonly hook: () => RequestHook | null;
  readonly clock: ServerClock;
}

/** Longer than the pauses that a busy machine puts between parts of one frame, shorter than anybody's time-out. */
const silenceMs = 20;

interface Asked {
  readonly frame: ModbusFrame;
  readonly request: ModbusRequest | null;
  readonly refused: Uint8Array | null;
  readonly treatment: Treatment | null;
}

/** One client: its requests are answered one by one, in the order they came, however many are under way. */
export class ServerConnection {
  readonly #options: ConnectionOptions;
  readonly #splitter: Splitter;
  /** bound: what one client has sent and not been answered; reading pauses while it is longer than this */
  readonly #waiting: ModbusFrame[] = [];
  #cancel: (() => void) | null = null;
  #cancelSilence: (() => void) | null = null;
  #badFrames = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#splitter = options.framing.splitter();
    options.socket.on("data", (chunk) => this.#take(chunk));
    options.socket.on("close", () => {
      this.#cancel?.();
      this.#cancelSilence?.();
    });
    // A client that resets the connection is no fault of the server; "close" follows.
    options.socket.on("error", () => {});
  }

  #take(chunk: Uint8Array): void {
    const { socket, framing } = this.#options;
    this.#queue(this.#splitter.push(chunk));
    if (this.#splitter.broken) socket.destroy();
    if (framing.name !== "rtu") return;
    this.#cancelSilence?.();
    this.#cancelSilence = this.#options.clock.after(silenceMs, () => this.#queue(this.#splitter.silence()));
  }

  #queue(frames: readonly ModbusFrame[]): void {
    this.#options.stats.badFrames += this.#splitter.badFrames - this.#badFrames;
    this.#badFrames = this.#splitter.badFrames;
    this.#waiting.push(...frames);
    if (this.#waiting.length > 1000) this.#options.socket.pause();
    this.#work();
  }

  #work(): void {
    const { socket } = this.#options;
    if (this.#cancel !== null) return;
    socket.cork();
    for (let frame = this.#waiting.shift(); frame !== undefined && !socket.destroyed; frame = this.#waiting.shift()) {
      this.#handle(frame);
      if (this.#cancel !== null) break;
    }
    socket.uncork();
    if (this.#waiting.length === 0 && socket.isPaused()) socket.resume();
  }

  #handle(frame: ModbusFrame): void {
    const { stats, id, wire, framing } = this.#options;
    let request: ModbusRequest | null = null;
    let refused: Uint8Array | null = null;
    try {
      request = decodeRequest(frame.pdu);
    } catch (error) {
      if (!(error instanceof ModbusException)) throw error;
      refused = exceptionAnswer(frame.pdu[0] ?? 0, error.exception);
    }
    stats.saw(frame.unit, frame.pdu[0] ?? 0, request);
    const treatment =
      this.#options.hook()?.({ connection: id, transaction: frame.transaction, unit: frame.unit, request }) ?? null;
    const isDelayed = treatment?.kind === "delay";
    const asked = { frame, request, refused, treatment: isDelayed ? null : treatment };
    const onWireMs = wire === null ? 0 : wire.received(framing.encode(frame).length);
    const delayMs = onWireMs + (isDelayed ? treatment.delayMs : 0);
    if (delayMs === 0) this.#answer(asked);
    else this.#later(delayMs, () => this.#answer(asked));
  }

  /** Nothing else of this client is worked on until then. */
  #later(delayMs: number, run: () => void): void {
    this.#cancel = this.#options.clock.after(delayMs, () => {
      this.#cancel = null;
      run();
      this.#work();
    });
  }

  #answer({ frame, request, refused, treatment }: Asked): void {
    const { socket, stats } = this.#options;
    if (socket.destroyed) return;
    if (treatment?.kind === "close" || (treatment?.kind === "drop" && request !== null && isRead(request))) {
      stats.spoilt++;
      if (treatment.kind === "close") socket.destroy();
      return;
    }
    const pdu =
      treatment?.kind === "exception"
        ? exceptionAnswer(frame.pdu[0] ?? 0, treatment.exception)
        : this.#pdu(frame, request, { refused, treatment });
    if (pdu === null) {
      stats.unanswered++;
      return;
    }
    if (treatment !== null && treatment.kind !== "exception") stats.spoilt++;
    else stats.count(request, pdu);
    this.#send({ transaction: frame.transaction, unit: frame.unit, pdu }, treatment);
  }

  /** @returns null where nobody answers */
  #pdu(frame: ModbusFrame, request: ModbusRequest | null, so: Pick<Asked, "refused" | "treatment">): Uint8Array | null {
    const { units, dead, framing } = this.#options;
    const isBus = framing.name !== "tcp";
    if (dead().has(frame.unit)) return null;
    if (isBus && frame.unit === 0) {
      // Modbus over Serial Line V1.02, 2.1: a broadcast is for all units and none of them answers.
      if (request !== null && !isRead(request)) for (const unit of units.values()) answerRequest(unit, request, false);
      return null;
    }
    const unit = units.get(frame.unit);
    if (unit === undefined && isBus) return null;
    if (so.refused !== null || request === null) return so.refused ?? exceptionAnswer(0, "illegalFunction");
    if (unit === undefined) return exceptionAnswer(request.code, "gatewayNoResponse");
    return answerRequest(unit, request, so.treatment === null);
  }

  #send(answer: ModbusFrame, treatment: Treatment | null): void {
    const { socket, framing } = this.#options;
    switch (treatment?.kind) {
      case "drop":
        break;
      case "wrong-transaction":
        this.#write(framing.encode({ ...answer, transaction: (answer.transaction + 0x5555) & 0xffff }));
        break;
      case "half": {
        const bytes = framing.encode(answer);
        this.#write(bytes.subarray(0, bytes.length >> 1), () => treatment.thenClose === true && socket.end());
        break;
      }
      case "garbage":
        this.#write(treatment.bytes);
        break;
      default:
        this.#write(framing.encode(answer));
    }
  }

  #write(bytes: Uint8Array, then: () => void = () => {}): void {
    const { socket, wire } = this.#options;
    if (wire === null) {
      socket.write(bytes);
      then();
      return;
    }
    let isSent = false;
    const cancel = wire.send(
      bytes,
      (part) => socket.write(part),
      () => {
        isSent = true;
        then();
        if (this.#cancel === null) return;
        this.#cancel = null;
        this.#work();
      },
    );
    if (!isSent) this.#cancel = cancel;
  }
}
