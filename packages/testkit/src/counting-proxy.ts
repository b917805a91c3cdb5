import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { FrameSplitter, type ModbusFrame } from "./modbus-server/frame.ts";

/** One request as it stood on the wire. */
export interface SeenRequest {
  /** 1.. in the order of connecting */
  readonly connection: number;
  readonly transaction: number;
  readonly unit: number;
  readonly function: number;
  /** null where the function has none or the PDU is cut short */
  readonly start: number | null;
  /** registers or bits; 1 for a single write; of function 23 what it reads */
  readonly quantity: number | null;
}
export interface SeenAnswer {
  readonly connection: number;
  readonly transaction: number;
  readonly unit: number;
  /** without the exception bit */
  readonly function: number;
  readonly exception: number | null;
  /** registers in a register read's answer, bytes in a bit read's; null otherwise */
  readonly length: number | null;
}

/** A TCP proxy that changes nothing and notes every Modbus request and answer, so that a test can count them. */
export class CountingProxy {
  readonly requests: SeenRequest[] = [];
  readonly answers: SeenAnswer[] = [];
  connections = 0;
  /** most requests that were under way at once on one connection */
  mostInFlight = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((client) => this.#accept(client, connect(target.port, target.host)));
  }

  static async listen(target: { readonly host: string; readonly port: number }): Promise<CountingProxy> {
    const proxy = new CountingProxy(target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", () => resolve());
    });
    return proxy;
  }

  get port(): number {
    // A TCP server that is listening has an AddressInfo; a string is for pipes only.
    return (this.#server.address() as AddressInfo).port;
  }

  reset(): void {
    this.requests.length = 0;
    this.answers.length = 0;
    this.mostInFlight = 0;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(client: Socket, server: Socket): void {
    const connection = ++this.connections;
    let inFlight = 0;
    this.#forward(client, server, (frame) => {
      inFlight++;
      this.mostInFlight = Math.max(this.mostInFlight, inFlight);
      this.requests.push({ connection, ...requestOf(frame) });
    });
    this.#forward(server, client, (frame) => {
      inFlight--;
      this.answers.push({ connection, ...answerOf(frame) });
    });
  }

  #forward(from: Socket, to: Socket, see: (frame: ModbusFrame) => void): void {
    const splitter = new FrameSplitter();
    from.setNoDelay(true);
    this.#sockets.add(from);
    from.on("data", (chunk) => {
      for (const frame of splitter.push(chunk)) see(frame);
      if (!to.write(chunk)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
    });
    from.on("end", () => to.end());
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroySoon();
    });
  }
}

function requestOf(frame: ModbusFrame): Omit<SeenRequest, "connection"> {
  const { transaction, unit, pdu } = frame;
  const code = pdu[0] ?? 0;
  const isSingle = code === 5 || code === 6 || code === 22;
  const isKnown = isSingle || (code >= 1 && code <= 4) || code === 15 || code === 16 || code === 23;
  const word = (at: number) => (isKnown && pdu.length >= at + 2 ? (pdu[at]! << 8) | pdu[at + 1]! : null);
  return { transaction, unit, function: code, start: word(1), quantity: isSingle ? 1 : word(3) };
}

function answerOf(frame: ModbusFrame): Omit<SeenAnswer, "connection"> {
  const { transaction, unit, pdu } = frame;
  const code = pdu[0] ?? 0;
  const exception = (code & 0x80) === 0 ? null : (pdu[1] ?? 0);
  const isRead = (code >= 1 && code <= 4) || code === 23;
  const length = isRead ? (pdu[1] ?? 0) / (code >= 3 ? 2 : 1) : null;
  return { transaction, unit, function: code & 0x7f, exception, length };
}
