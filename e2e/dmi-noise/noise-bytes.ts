import type { Random } from "@penstock/runtime";

export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export function upTo(random: Random, limit: number): number {
  return Math.floor(random.number() * limit);
}
export function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[upTo(random, choices.length)]!;
}

/** An HTTP/2 frame that says to have `length` bytes. @source RFC 9113, 4.1 */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length & 0xffffff, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** What comes over one connection that is no gRPC: bytes, wrong HTTP/2, half of the right. */
export function rawNoise(random: Random, start: Buffer): Buffer {
  const some = (most: number) => Buffer.from(random.bytes(1 + upTo(random, most)));
  const settings = frame(4, 0, 0, Buffer.alloc(0));
  const odd = () => frame(upTo(random, 12), upTo(random, 256), upTo(random, 9), some(200));
  const kinds: (() => Buffer)[] = [
    () => some(5000),
    () => Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n"),
    () => start.subarray(0, upTo(random, start.length + 1)),
    () => Buffer.concat([start, some(3000)]),
    () => Buffer.concat([start, settings, ...Array.from({ length: 20 }, odd)]),
    () => Buffer.concat([start, settings, frame(0, 0, 1, some(50), 0xffffff)]), // a length that never comes
    () => Buffer.concat([start, settings, frame(1, 0, 1, some(100))]), // headers that do not end
    () => Buffer.concat([start, settings, frame(1, 4, 1, some(100))]), // no header block
    () => Buffer.concat([start, settings, frame(8, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))]), // window overflows
    () => Buffer.concat([start, ...Array.from({ length: 500 }, () => frame(6, 0, 0, Buffer.alloc(8)))]), // pings
    () => Buffer.concat([start, ...Array.from({ length: 500 }, () => settings)]),
    () =>
      Buffer.concat([
        start,
        settings,
        ...Array.from({ length: 200 }, (_, i) => frame(3, 0, 2 * i + 1, Buffer.alloc(4))),
      ]),
    () => Buffer.concat([start, settings, frame(7, 0, 0, some(40))]), // goes away
  ];
  return oneOf(random, kinds)();
}

/** A message that was right once: other bytes, cut, longer, lengths that are not so. */
export function spoilt(random: Random, message: Uint8Array): Buffer {
  const bytes = Buffer.from(message);
  const at = () => upTo(random, bytes.length);
  switch (upTo(random, 4)) {
    case 0:
      for (let i = 0; i <= upTo(random, 4); i++) bytes[at()] = upTo(random, 256);
      return bytes;
    case 1:
      return bytes.subarray(0, at());
    case 2:
      return Buffer.concat([bytes, Buffer.from(random.bytes(1 + upTo(random, 60)))]);
    default:
      return Buffer.concat([
        bytes.subarray(0, at()),
        Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        bytes.subarray(at()),
      ]);
  }
}

/** A length-prefixed message of gRPC that says to have `length` bytes. */
export function framed(message: Uint8Array, { compressed = 0, length = message.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(length >>> 0, 1);
  return Buffer.concat([head, message]);
}
