/** A kind of memory of a PLC. */
export interface Area {
  readonly code: number;
  /** how its items are asked for: as bytes, or as timers and counters */
  readonly transport: number;
  /** places are bytes; false: they are words that count as one, by number */
  readonly isByBytes: boolean;
  readonly placeBytes: 1 | 2;
}

const byBytes = (code: number): Area => ({ code, transport: 2, isByBytes: true, placeBytes: 1 });
const byNumber = (code: number): Area => ({ code, transport: code, isByBytes: false, placeBytes: 2 });

/** Data blocks, flags, inputs, outputs, timers, counters. @source Wireshark, packet-s7comm.c, item area names */
export const areas = {
  DB: byBytes(0x84),
  M: byBytes(0x83),
  I: byBytes(0x81),
  Q: byBytes(0x82),
  T: byNumber(0x1d),
  C: byNumber(0x1c),
} as const satisfies Record<string, Area>;
export type AreaName = keyof typeof areas;
export const areaNames = ["DB", "M", "I", "Q", "T", "C"] as const satisfies AreaName[];

export interface ItemAddress {
  readonly area: Area;
  /** number of the data block; 0 elsewhere */
  readonly db: number;
  /** byte, or number of the timer or counter */
  readonly place: number;
}
