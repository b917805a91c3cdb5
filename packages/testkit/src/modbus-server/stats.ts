import type { ModbusRequest } from "./request.ts";

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

  count(request: ModbusRequest | null, pdu: Uint8Array): void {
    if (request === null || (pdu[0]! & 0x80) !== 0) this.exceptions++;
    else if (request.kind === "read-bits") {
      this.answeredReads++;
      this.bitsRead += request.count;
    } else if (request.kind === "read-registers") {
      this.answeredReads++;
      this.registersRead += request.count;
    } else this.answeredWrites++;
  }
}
