import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { freePort } from "@penstock/testkit";

/** What a request was, as far as a test asks. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly head: string;
  readonly body: string;
}

/** A server that says byte for byte what a test wants, so that it can break every rule of HTTP. */
export class RawServer {
  answer: (asked: Asked, socket: Socket) => void = () => {};
  readonly asked: Asked[] = [];
  readonly sockets = new Set<Socket>();
  port = 0;
  #server = createServer((socket) => this.#serve(socket));
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  async listen(port?: number): Promise<{ host: string; port: number }> {
    this.#server.listen(port ?? (await freePort()), "127.0.0.1");
    await once(this.#server, "listening");
    this.port = (this.#server.address() as { port: number }).port;
    return { host: "127.0.0.1", port: this.port };
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  until(count: number): Promise<void> {
    if (this.asked.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("error", () => {}); // the client may go at any time
    let held = "";
    socket.on("data", (chunk) => {
      held += chunk.toString("latin1");
      for (;;) {
        const end = held.indexOf("\r\n\r\n");
        if (end < 0) return;
        const head = held.slice(0, end);
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (held.length < end + 4 + length) return;
        const body = held.slice(end + 4, end + 4 + length);
        held = held.slice(end + 4 + length);
        const [method, path] = head.split(" ");
        const asked = { method: method!, path: path!, head, body };
        this.asked.push(asked);
        this.answer(asked, socket);
        const reached = this.#waiting.filter(({ count }) => count <= this.asked.length);
        this.#waiting = this.#waiting.filter((one) => !reached.includes(one));
        for (const { resolve } of reached) resolve();
      }
    });
  }
}

/** A well-formed answer. */
export function ok(body: string, { status = 200, headers = {} as Readonly<Record<string, string>> } = {}): string {
  const lines = Object.entries({ "content-type": "application/json", ...headers }).map((pair) => pair.join(": "));
  return [`HTTP/1.1 ${status} X`, ...lines, `content-length: ${Buffer.byteLength(body)}`, "", body].join("\r\n");
}
