import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { S7Memory, s7Codes } from "./s7-memory.ts";

/** One job as it came: its function (4 reads, 5 writes), how many items, and the whole packet. */
export interface S7Request {
  readonly function: number;
  readonly reference: number;
  readonly items: number;
  readonly packet: Buffer;
}
/** What is sent instead of the right answer; null = nothing. Parts are sent in turn, numbers are pauses in milliseconds. */
export type S7Hook = (request: S7Request, right: Buffer, socket: Socket) => readonly (Buffer | number)[] | null;

export interface S7ServerOptions {
  readonly memory?: S7Memory;
  readonly host?: string;
  /** 0 = any free one */
  readonly port?: number;
  /** most that it offers: bytes of a PDU, jobs at once */
  readonly pduSize?: number;
  readonly jobs?: number;
  readonly hook?: S7Hook;
}

/**
 * A PLC for tests and guides: answers connection, agreement, reads and writes of variables by address. Shares no code with
 * any mapper, so that one mistake cannot hide on both ends; refuses a job that is larger than what was agreed on.
 *
 * @source RFC 1006; ISO 8073:1997 class 0; Wireshark, packet-s7comm.c
 */
export class S7Server {
  readonly memory: S7Memory;
  readonly requests: S7Request[] = [];
  hook: S7Hook | null;
  /** most jobs that had come and were not answered yet */
  mostAtOnce = 0;
  /** TSAPs of the newest connection: caller's, called */
  tsaps: readonly [number, number] = [0, 0];
  readonly #options: Required<Pick<S7ServerOptions, "pduSize" | "jobs">>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor({ memory = new S7Memory(), pduSize = 240, jobs = 1, hook }: S7ServerOptions) {
    this.memory = memory;
    this.hook = hook ?? null;
    this.#options = { pduSize, jobs };
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(options: S7ServerOptions = {}): Promise<S7Server> {
    const server = new S7Server(options);
    const { port = 0, host = "127.0.0.1" } = options;
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject).listen(port, host, resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection, and listens on. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {}); // the client may go at any time; "close" follows
    let held = Buffer.alloc(0);
    const agreed = { pduSize: 240 };
    socket.on("data", (chunk) => {
      held = Buffer.concat([held, chunk]);
      const packets: Buffer[] = [];
      while (held.length >= 4 && held.length >= held.readUInt16BE(2)) {
        packets.push(Buffer.from(held.subarray(0, held.readUInt16BE(2))));
        held = held.subarray(held.readUInt16BE(2));
      }
      const jobs = packets.filter((packet) => packet[5] === 0xf0 && packet[17] !== 0xf0).length;
      this.mostAtOnce = Math.max(this.mostAtOnce, jobs);
      for (const packet of packets) void this.#take(packet, socket, agreed);
    });
  }

  async #take(packet: Buffer, socket: Socket, agreed: { pduSize: number }): Promise<void> {
    if (packet[5] === 0xe0) {
      this.tsaps = [packet.readUInt16BE(16), packet.readUInt16BE(20)];
      // connect confirm: their reference, ours, class 0, and the size of a unit they asked for
      socket.write(Buffer.of(3, 0, 0, 14, 9, 0xd0, packet[8]!, packet[9]!, 0, 1, 0, 0xc0, 1, packet[13]!));
      return;
    }
    const pdu = packet.subarray(7);
    const reference = pdu.readUInt16BE(4);
    const parameter = pdu.subarray(10, 10 + pdu.readUInt16BE(6));
    if (parameter[0] === 0xf0) {
      agreed.pduSize = Math.min(parameter.readUInt16BE(6), this.#options.pduSize);
      const jobs = Math.min(parameter.readUInt16BE(2), this.#options.jobs);
      const terms = Buffer.of(0xf0, 0, 0, jobs, 0, jobs, agreed.pduSize >> 8, agreed.pduSize & 255);
      socket.write(s7Answer(reference, terms, Buffer.alloc(0)));
      return;
    }
    const request = { function: parameter[0]!, reference, items: parameter[1]!, packet };
    this.requests.push(request);
    const right = pdu.length > agreed.pduSize ? refusal(reference) : this.#answer(request, pdu, agreed.pduSize);
    const parts = this.hook === null ? [right] : this.hook(request, right, socket);
    for (const part of parts ?? []) {
      if (typeof part === "number") await new Promise((resolve) => setTimeout(resolve, part));
      else if (socket.writable) socket.write(part);
    }
  }

  #answer(request: S7Request, pdu: Buffer, pduSize: number): Buffer {
    const parameter = pdu.subarray(10, 10 + pdu.readUInt16BE(6));
    const data = pdu.subarray(10 + parameter.length);
    const places = Array.from({ length: request.items }, (_, i) => placeOf(parameter.subarray(2 + 12 * i)));
    const answered = request.function === 4 ? this.#read(places) : this.#write(places, data);
    const whole = s7Answer(request.reference, Buffer.of(request.function, request.items), answered);
    return whole.length - 7 > pduSize ? refusal(request.reference) : whole;
  }

  #read(places: readonly Place[]): Buffer {
    const items = places.map(({ area, db, start, bit, length }, i) => {
      const found = this.memory.at(area, db, start, length);
      if (typeof found === "number") return Buffer.of(found, 0, 0, 0);
      const bytes = bit === null ? found : Buffer.of((found[0]! >> bit) & 1);
      // bits and bytes count bits, the words of timers and counters bytes
      const [transport, size] = bit !== null ? [3, 1] : area < 0x80 ? [9, bytes.length] : [4, bytes.length * 8];
      const isLast = i === places.length - 1;
      const filler = Buffer.alloc(isLast ? 0 : bytes.length & 1);
      return Buffer.concat([Buffer.of(s7Codes.good, transport!, size! >> 8, size! & 255), bytes, filler]);
    });
    return Buffer.concat(items);
  }

  #write(places: readonly Place[], data: Buffer): Buffer {
    let at = 0;
    const codes = places.map(({ area, db, start, bit, length }) => {
      const transport = data[at + 1]!;
      const stated = data.readUInt16BE(at + 2);
      const bytes = transport === 4 ? stated / 8 : stated;
      const given = data.subarray(at + 4, at + 4 + bytes);
      at += 4 + bytes + (bytes & 1);
      if (transport !== (bit !== null ? 3 : area < 0x80 ? 9 : 4) || bytes !== length) return s7Codes.noType;
      const found = this.memory.at(area, db, start, length);
      if (typeof found === "number") return found;
      if (bit === null) given.copy(found);
      else found[0] = (found[0]! & ~(1 << bit)) | ((given[0]! & 1) << bit);
      return s7Codes.good;
    });
    return Buffer.from(codes);
  }
}

interface Place {
  readonly area: number;
  readonly db: number;
  /** byte from the area's beginning */
  readonly start: number;
  readonly bit: number | null;
  /** in bytes */
  readonly length: number;
}

/** Twelve bytes: 12 0a 10, transport, count (2), data block (2), area, address in bits (3), or number of a timer or counter. */
function placeOf(item: Buffer): Place {
  const [transport, area] = [item[3]!, item[8]!];
  const [count, db, address] = [item.readUInt16BE(4), item.readUInt16BE(6), item.readUIntBE(9, 3)];
  if (area < 0x80) return { area, db, start: address * 2, bit: null, length: count * 2 };
  return { area, db, start: address >> 3, bit: transport === 1 ? address & 7 : null, length: count };
}

/** TPKT, COTP data, and an answer with data. */
export function s7Answer(reference: number, parameter: Buffer, data: Buffer, error = 0): Buffer {
  const header = Buffer.alloc(19);
  header.set([3, 0, 0, 0, 2, 0xf0, 0x80, 0x32, 3]);
  header.writeUInt16BE(19 + parameter.length + data.length, 2);
  header.writeUInt16BE(reference, 11);
  header.writeUInt16BE(parameter.length, 13);
  header.writeUInt16BE(data.length, 15);
  header.writeUInt16BE(error, 17);
  return Buffer.concat([header, parameter, data]);
}

/** error class 85, code 00: the PDU is too long */
function refusal(reference: number): Buffer {
  return s7Answer(reference, Buffer.alloc(0), Buffer.alloc(0), 0x8500);
}
