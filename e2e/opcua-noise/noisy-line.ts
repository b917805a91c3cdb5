import { connect, createServer, type Socket } from "node:net";
import type { Random } from "@penstock/runtime";
import { timeoutMs } from "./node-value.ts";

/** Where things stand in a chunk without security. @source OPC UA 1.05 Part 6, 6.7.2 */
const sizeAt = 4;
const requestIdAt = 20;

/**
 * A line that spoils what the server sends: each kind is one after which a right client has the right value or none. There is
 * no checksum without security, so that no byte of a good chunk is changed, and after a cut one nothing follows it.
 */
export class NoisyLine {
  isQuiet = false;
  readonly #random: Random;
  readonly #target: number;
  readonly #server = createServer((client) => this.#join(client));

  constructor(options: { readonly target: number; readonly random: Random }) {
    this.#target = options.target;
    this.#random = options.random;
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => resolve((this.#server.address() as { port: number }).port));
    });
  }

  close(): void {
    this.#server.close();
  }

  #join(client: Socket): void {
    const server = connect(this.#target, "127.0.0.1");
    let isDead = false;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true);
      from.on("error", () => {}); // "close" follows
      from.on("close", () => to.destroy());
    }
    client.on("data", (bytes) => server.write(bytes));
    const send = (bytes: Uint8Array) => {
      if (!isDead && !client.destroyed) client.write(bytes);
    };
    const end = (bytes: Uint8Array) => {
      send(bytes);
      isDead = true;
      // Silent for a while, as a line is whose other end has gone, then closed.
      setTimeout(() => client.destroy(), this.#upTo(3 * timeoutMs));
    };
    let held: Buffer = Buffer.alloc(0);
    server.on("data", (bytes) => {
      held = Buffer.concat([held, bytes]);
      while (held.length >= 8 && held.length >= held.readUInt32LE(sizeAt)) {
        const size = held.readUInt32LE(sizeAt);
        this.#spoil(held.subarray(0, size), send, end);
        held = held.subarray(size);
      }
    });
  }

  #spoil(chunk: Buffer, send: (bytes: Uint8Array) => void, end: (bytes: Uint8Array) => void): void {
    if (this.isQuiet || this.#random.number() < 0.97) {
      send(chunk);
      return;
    }
    const garbage = () => this.#random.bytes(1 + this.#upTo(60));
    const late = timeoutMs * (0.5 + this.#random.number() * 3);
    const isMessage = chunk.toString("latin1", 0, 3) === "MSG";
    const numbered = (step: number) => {
      const other = Buffer.from(chunk);
      other.writeUInt32LE((chunk.readUInt32LE(requestIdAt) + step) >>> 0, requestIdAt);
      return other;
    };
    const kinds: (() => void)[] = [
      () => end(chunk.subarray(0, this.#upTo(chunk.length))),
      () => end(garbage()),
      () => end(Buffer.concat([chunk, garbage()])),
      () => void setTimeout(() => send(chunk), late),
      () => {
        send(chunk.subarray(0, 5));
        setTimeout(() => end(chunk.subarray(5)), this.#upTo(20));
      },
    ];
    if (isMessage) {
      kinds.push(
        () => {}, // never answered
        () => send(numbered(5000)), // the answer to a question that nobody asked
        () => {
          send(chunk);
          send(chunk);
        },
        () => {
          send(numbered(-50_000));
          send(chunk);
        },
      );
    }
    kinds[this.#upTo(kinds.length)]!();
  }

  #upTo(limit: number): number {
    return Math.floor(this.#random.number() * limit);
  }
}
