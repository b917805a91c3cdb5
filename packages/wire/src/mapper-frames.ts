import { AppError, limits } from "@penstock/model";
import { pack, unpack } from "./pack.ts";

/** Length as unsigned 32-bit big-endian, then the MessagePack map. */
export function encodeMapperFrame(message: { readonly t: string }): Uint8Array {
  const body = pack(message);
  const frame = new Uint8Array(4 + body.length);
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, 4);
  return frame;
}

/** Cuts a byte stream into messages. Chunks may end anywhere. */
export class MapperFrameReader<Message extends { readonly t: string }> {
  #parts: Uint8Array[] = [];
  #held = 0;

  /** @throws AppError mapper/bad-answer when a frame is too large or not a message; the stream is useless after that */
  push(chunk: Uint8Array): Message[] {
    this.#parts.push(chunk);
    this.#held += chunk.length;
    const messages: Message[] = [];
    if (this.#held < 4) return messages;
    let bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#held);
    let at = 0;
    while (bytes.length - at >= 4) {
      const length = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
      if (length > limits.mapperFrameBytes) {
        throw new AppError(
          "mapper/bad-answer",
          `Cannot read mapper frame: ${length} bytes, limit ${limits.mapperFrameBytes}`,
        );
      }
      if (bytes.length - at - 4 < length) break;
      messages.push(decode<Message>(bytes.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    bytes = bytes.subarray(at);
    this.#parts = bytes.length === 0 ? [] : [bytes];
    this.#held = bytes.length;
    return messages;
  }
}

function decode<Message>(bytes: Uint8Array): Message {
  let value: unknown;
  try {
    value = unpack(bytes);
  } catch (cause) {
    throw new AppError("mapper/bad-answer", "Cannot read mapper frame: not MessagePack", { cause });
  }
  if (typeof value !== "object" || value === null || typeof (value as { t?: unknown }).t !== "string") {
    throw new AppError("mapper/bad-answer", "Cannot read mapper frame: not a map with a text t");
  }
  // The two ends ship together and agree on a protocol version in the hello; fields are checked where they are used.
  return value as Message;
}
