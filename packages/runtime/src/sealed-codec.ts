import type { Codec } from "./journal-codec.ts";
import { isSealed, type SecretBox } from "./secret-box.ts";

/**
 * What another codec makes, sealed. Bytes that are not sealed are read as they are: they were written before there was a
 * key, and the journal seals them when it next writes a snapshot, which it does when it is opened.
 */
export function sealedCodec<T>(inner: Codec<T>, box: SecretBox, place: string): Codec<T> {
  return {
    encode: (value) => box.seal(inner.encode(value), place),
    decode: (bytes) => inner.decode(isSealed(bytes) ? box.open(bytes, place) : bytes),
  };
}
