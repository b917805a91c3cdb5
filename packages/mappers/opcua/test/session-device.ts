import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { ConformanceDevice, DeviceManner } from "@penstock/mapper-sdk";
import { freePort } from "@penstock/testkit";
import type { PlantServer } from "./plant-server.ts";

/** Where things stand in a chunk without security. @source OPC UA 1.05 Part 6, 6.7.2 */
const sizeAt = 4;
const requestIdAt = 20;

/** A real server behind a line that spoils answers to questions about one node; the session itself is left alone. */
export class SessionDevice implements ConformanceDevice {
  manner: DeviceManner = "silent";
  questions = 0;
  readonly #plant: () => PlantServer;
  readonly #mark: Buffer;
  readonly #value: Buffer;
  readonly #server = createServer((client) => this.#join(client));
  readonly #sockets = new Set<Socket>();
  #late: Buffer | null = null;
  #waiting: (() => void)[] = [];

  /** @param value of the node, as it stands in an answer */
  constructor(options: { readonly plant: () => PlantServer; readonly node: string; readonly value: Buffer }) {
    this.#plant = options.plant;
    // attribute 13 of the node follows its name in reads and writes
    this.#mark = Buffer.concat([Buffer.from(options.node), Buffer.from([13, 0, 0, 0])]);
    this.#value = options.value;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async asked(count: number): Promise<void> {
    while (this.questions < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async listen(port?: number): Promise<{ host: string; port: number }> {
    this.#server.listen(port ?? (await freePort()), "127.0.0.1");
    await once(this.#server, "listening");
    return { host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    const server = connect(this.#plant().port, "127.0.0.1");
    /** questions under way, by request id, with the manner of their time */
    const asked = new Map<number, DeviceManner>();
    this.#sockets.add(client);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on("error", () => {}); // "close" follows
    }
    client.on("close", () => {
      this.#sockets.delete(client);
      server.destroy();
    });
    server.on("close", () => client.destroy());
    chunks(client, (chunk) => {
      if (!chunk.includes(this.#mark)) return server.write(chunk);
      asked.set(chunk.readUInt32LE(requestIdAt), this.manner);
      this.questions++;
      for (const resolve of this.#waiting.splice(0)) resolve();
      if (this.manner === "ends") return client.destroy();
      this.#plant().setReadOnly(this.manner === "refuses");
      return server.write(chunk);
    });
    chunks(server, (chunk) => {
      const manner = chunk.toString("latin1", 0, 3) === "MSG" ? asked.get(chunk.readUInt32LE(requestIdAt)) : undefined;
      if (manner === undefined) return client.write(chunk);
      return this.#answer(client, chunk, manner);
    });
  }

  #answer(client: Socket, chunk: Buffer, manner: DeviceManner): void {
    switch (manner) {
      case "right":
      case "refuses":
        client.write(chunk);
        return;
      case "silent":
      case "ends":
        return;
      case "late":
        if (this.#late === null) {
          this.#late = this.#other(chunk);
          return;
        }
        client.write(this.#late);
        client.write(chunk);
        return;
      case "wrong": {
        const wrong = this.#other(chunk);
        wrong.writeUInt32LE(chunk.readUInt32LE(requestIdAt) + 5000, requestIdAt);
        client.write(wrong);
        return;
      }
      case "garbage":
        client.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
        return;
      case "half":
        client.write(chunk.subarray(0, -1));
        return;
    }
  }

  #other(chunk: Buffer): Buffer {
    const other = Buffer.from(chunk);
    const at = other.indexOf(this.#value);
    if (at >= 0) other[at]! ^= 0xff;
    return other;
  }
}

/** Calls `each` with every whole chunk that comes. */
function chunks(from: Socket, each: (chunk: Buffer) => unknown): void {
  let held: Buffer = Buffer.alloc(0);
  from.on("data", (bytes) => {
    held = Buffer.concat([held, bytes]);
    while (held.length >= 8 && held.length >= held.readUInt32LE(sizeAt)) {
      const size = held.readUInt32LE(sizeAt);
      each(held.subarray(0, size));
      held = held.subarray(size);
    }
  });
}
