import { isRead, type ModbusRequest } from "./request.ts";

/** One request as the server saw it, whether it was answered or not. */
export interface SeenByServer {
  readonly unit: number;
  readonly function: number;
  /** null when the PDU itself was refused */
  readonly request: ModbusRequest | null;
}

/** What the server has done since it was made. A spoilt request got no proper answer because of a treatment. */
export class ServerStats {
  connections = 0;
  requests = 0;
  answeredReads = 0;
  registersRead = 0;
  bitsRead = 0;
  answeredWrites = 0;
  exceptions = 0;
  spoilt = 0;
  /** to units that say nothing, or that are not on the bus */
  unanswered = 0;
  /** frames that failed their checksum */
  badFrames = 0;
  /** the newest requests, oldest first, at most as many as the server was told to keep */
  readonly seen: SeenByServer[] = [];
  readonly #keep: number;
  readonly #byUnit = new Map<number, Map<number, number>>();

  constructor(keep = 0) {
    this.#keep = keep;
  }

  saw(unit: number, code: number, request: ModbusRequest | null): void {
    this.requests++;
    let functions = this.#byUnit.get(unit);
    if (functions === undefined) {
      functions = new Map();
      this.#byUnit.set(unit, functions);
    }
    functions.set(code, (functions.get(code) ?? 0) + 1);
    if (this.#keep === 0) return;
    if (this.seen.length === this.#keep) this.seen.shift();
    this.seen.push({ unit, function: code, request });
  }

  /** @returns requests to a unit, of one function or of all */
  requestsTo(unit: number, code?: number): number {
    const functions = this.#byUnit.get(unit);
    if (functions === undefined) return 0;
    if (code !== undefined) return functions.get(code) ?? 0;
    let sum = 0;
    for (const count of functions.values()) sum += count;
    return sum;
  }

  count(request: ModbusRequest | null, pdu: Uint8Array): void {
    if (request === null || (pdu[0]! & 0x80) !== 0) {
      this.exceptions++;
      return;
    }
    if (request.kind === "read-bits") this.bitsRead += request.count;
    if (request.kind === "read-registers" || request.kind === "read-write-registers")
      this.registersRead += request.count;
    if (isRead(request)) this.answeredReads++;
    else this.answeredWrites++;
  }
}
