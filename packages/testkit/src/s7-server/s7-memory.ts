/** Areas by the number that stands in an item. @source Wireshark, packet-s7comm.c, item area names */
export const s7Areas = { I: 0x81, Q: 0x82, M: 0x83, DB: 0x84, C: 0x1c, T: 0x1d } as const;
export type S7AreaName = keyof typeof s7Areas;

/** Return codes of an item. @source Wireshark, packet-s7comm.c, return values */
export const s7Codes = { good: 0xff, denied: 0x03, outOfRange: 0x05, noType: 0x06, noObject: 0x0a } as const;

/** What a simulated PLC holds, by area and data block. Places that nobody has given do not exist. */
export class S7Memory {
  readonly #blocks = new Map<string, Buffer>();
  /** data blocks that refuse every access */
  readonly denied = new Set<number>();

  /** Makes an area, or a data block, of so many bytes; words of timers and counters have two. */
  add(area: S7AreaName, bytes: number, db = 0): Buffer {
    const block = Buffer.alloc(bytes);
    this.#blocks.set(`${s7Areas[area]}/${db}`, block);
    return block;
  }

  remove(area: S7AreaName, db = 0): void {
    this.#blocks.delete(`${s7Areas[area]}/${db}`);
  }

  /** The bytes there, shared with the memory, or why there are none. */
  at(area: number, db: number, start: number, length: number): Buffer | number {
    const block = this.#blocks.get(`${area}/${area === s7Areas.DB ? db : 0}`);
    if (block === undefined) return s7Codes.noObject;
    if (area === s7Areas.DB && this.denied.has(db)) return s7Codes.denied;
    return start + length > block.length ? s7Codes.outOfRange : block.subarray(start, start + length);
  }
}
