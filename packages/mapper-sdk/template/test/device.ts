import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** The device, played: unit 1 with a counter, a set point and a serial number that nobody may write. */
export class PlayedDevice {
  readonly #registers = new Map([
    [1, "0"],
    [2, "21.5"],
    [3, "1042"],
  ]);

  /** @param question  a line without its end, such as "7 GET 1 2" */
  answer(question: string): string {
    const [number, verb, unit, register, value] = question.split(" ");
    const held = this.#registers.get(Number(register));
    if (unit !== "1" || held === undefined) return `${number} ! register`;
    if (verb === "GET") {
      // The counter goes on with every question.
      if (register === "1") this.#registers.set(1, String(Number(held) + 1));
      return `${number} = ${held}`;
    }
    if (register === "3") return `${number} ! locked`;
    if (verb !== "SET" || value === undefined || !Number.isFinite(Number(value))) return `${number} ! value`;
    this.#registers.set(Number(register), value);
    return `${number} = ${value}`;
  }

  /** @param port 0 = any free one */
  async listen(port: number): Promise<{ readonly port: number; close(): Promise<void> }> {
    const server = createServer((socket) => {
      let held = "";
      socket.on("error", () => {}); // whoever asked is gone
      socket.on("data", (chunk) => {
        const lines = (held + chunk.toString("latin1")).split("\n");
        held = lines.pop() ?? "";
        for (const line of lines) socket.write(`${this.answer(line)}\n`);
      });
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const close = async () => {
      server.close();
      await once(server, "close");
    };
    return { port: (server.address() as AddressInfo).port, close };
  }
}

if (import.meta.main) {
  const { port } = await new PlayedDevice().listen(Number(process.argv[2] ?? 4001));
  console.log(`The played device listens at 127.0.0.1:${port}; Ctrl-C ends it`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(0));
}
