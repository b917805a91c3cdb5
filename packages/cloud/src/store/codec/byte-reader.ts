import { AppError } from "@penstock/model";

/** Reads what ByteWriter wrote. Running past the end is store/corrupt: a checksum has been checked before. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  u8(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new AppError("store/corrupt", "Cannot read stored data: it ends too early");
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  signed(): number {
    const first = this.u8();
    const magnitude = (first & 63) + (first >= 128 ? this.varint() * 64 : 0);
    return (first & 64) === 0 ? magnitude : -magnitude;
  }

  raw(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) {
      throw new AppError("store/corrupt", "Cannot read stored data: it ends too early");
    }
    const bytes = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return bytes;
  }

  section(): Uint8Array {
    return this.raw(this.varint());
  }
}
