import type { Socket } from "node:net";
import { join } from "node:path";
import { type ConformanceDevice, conformance, type DeviceManner } from "@penstock/mapper-sdk";
import { ok, RawServer } from "../test/raw-server.ts";
import { httpDevices } from "./index.ts";

/** HTTP knows an answer's question by its connection: a late answer comes on the connection of its own. */
class HttpDevice implements ConformanceDevice {
  manner: DeviceManner = "silent";
  readonly #server = new RawServer();
  #late: Socket | null = null;

  constructor() {
    this.#server.answer = (_, socket) => this.#answer(socket);
  }

  get questions(): number {
    return this.#server.asked.length;
  }
  get connections(): number {
    return this.#server.sockets.size;
  }
  asked(count: number): Promise<void> {
    return this.#server.until(count);
  }
  listen(port?: number): Promise<{ host: string; port: number }> {
    return this.#server.listen(port);
  }
  close(): Promise<void> {
    return this.#server.close();
  }

  #answer(socket: Socket): void {
    const right = ok('{"level": 21.5}');
    switch (this.manner) {
      case "right":
        socket.write(right);
        return;
      case "silent":
        return;
      case "late":
        if (this.#late === null) {
          this.#late = socket;
          return;
        }
        this.#late.write(ok('{"level": 99}'));
        socket.write(right);
        return;
      case "wrong":
        socket.write(ok('{"pressure": 99}'));
        return;
      case "garbage":
        socket.write("\x00\xff level 99\r\n\r\n");
        return;
      case "half":
        socket.write(right.slice(0, -1));
        return;
      case "ends":
        socket.destroy();
        return;
      case "refuses":
        socket.write(ok("{}", { status: 422 }));
        return;
    }
  }
}

await conformance(httpDevices, {
  folder: join(import.meta.dirname, ".."),
  connection: ({ host, port }) => ({ url: `http://${host}:${port}` }),
  address: {},
  point: { type: "float64", visitor: { resource: "/status", path: "$.level" }, value: 21.5 },
  writable: { type: "int16", visitor: { setResource: "/set" }, value: 5, unfit: 40_000 },
  device: () => new HttpDevice(),
  refusal: { code: "mapper/value-refused" },
});
