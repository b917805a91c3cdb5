/** Appends bytes, variable-length numbers and sections to a buffer that grows. */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 4096) {
    this.bytes = new Uint8Array(capacity);
  }

  /** makes room for `more` bytes; call before writing to `bytes` directly */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** 0 ≤ value ≤ 2^53-1, seven bits a byte, low bits first */
  varint(value: number): void {
    this.reserve(8);
    while (value >= 128) {
      this.bytes[this.length++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    this.bytes[this.length++] = value;
  }

  /** |value| ≤ 2^53-1: the sign in bit 6 of the first byte, so that no bit of a 53-bit number is lost to it */
  signed(value: number): void {
    const magnitude = Math.abs(value);
    const first = (magnitude % 64) | (value < 0 ? 64 : 0);
    const rest = Math.floor(magnitude / 64);
    this.u8(rest > 0 ? first | 128 : first);
    if (rest > 0) this.varint(rest);
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** a length, then the bytes */
  section(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** a copy of what was written from `from` on */
  copy(from = 0): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(from, this.length);
  }
}
