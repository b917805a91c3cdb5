import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { AppError } from "@penstock/model";
import type { Random } from "./random.ts";

/**
 * Keeps values so that only the holder of the key reads them, and only where they were put: a sealed value that is moved to
 * another place does not open.
 */
export interface SecretBox {
  /** of the key that seals: 8 hex digits, no secret */
  readonly keyId: string;
  /** @param place where the value is kept; must be the same when it is opened */
  seal(plain: Uint8Array, place: string): Uint8Array;
  /** @throws AppError data/key-missing when no key of ours made it; data/corrupt when it is not what was sealed there */
  open(sealed: Uint8Array, place: string): Uint8Array;
  /** the same as text: begins with `sealedPrefix`, the rest is base64url */
  sealText(plain: string, place: string): string;
  openText(sealed: string, place: string): string;
  /** whether what was sealed so would be sealed by another key now */
  isOfOlderKey(sealed: string): boolean;
}

/** How every sealed text begins. */
export const sealedPrefix = "sealed:v1:";
/** Before every sealed value in bytes: neither JSON nor MessagePack of an object begins so. */
const magic = Buffer.from([0xd5, 0x50, 0x53, 0x01]);
const idBytes = 4;
// NIST SP 800-38D, 8.2.2: a random IV of 96 bits is good for 2^32 values of one key, far beyond what is ever written here.
const ivBytes = 12;
const tagBytes = 16;
const headBytes = magic.length + idBytes + ivBytes;

/** @returns what is public of a key: enough to tell which one is missing */
export function keyIdOf(key: Uint8Array): string {
  return createHash("sha256")
    .update("penstock secret key")
    .update(key)
    .digest("hex")
    .slice(0, 2 * idBytes);
}

/** Whether bytes are a sealed value, by how they begin. */
export function isSealed(bytes: Uint8Array): boolean {
  return bytes.length >= headBytes + tagBytes && magic.every((byte, i) => bytes[i] === byte);
}

/**
 * AES-256-GCM; the head, with the key's id, and the place are authenticated with the value.
 *
 * @param keys  32 bytes each; the first seals, all open
 * @source NIST SP 800-38D (2007)
 */
export function secretBox(keys: readonly Uint8Array[], random: Random): SecretBox {
  const byId = new Map(keys.map((key) => [keyIdOf(key), key]));
  const first = keys[0]!;
  const keyId = keyIdOf(first);
  const head = Buffer.concat([magic, Buffer.from(keyId, "hex")]);

  const box: SecretBox = {
    keyId,
    seal(plain, place) {
      const iv = random.bytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", first, iv, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.concat([head, Buffer.from(place, "utf8")]));
      return Buffer.concat([head, iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, place) {
      if (!isSealed(sealed)) throw new AppError("data/corrupt", "Cannot open a secret: it is no sealed value");
      const id = Buffer.from(sealed.subarray(magic.length, magic.length + idBytes)).toString("hex");
      const key = byId.get(id);
      if (key === undefined) {
        const known = [...byId.keys()].join(", ");
        throw new AppError("data/key-missing", `Cannot open a secret: key ${id} sealed it, here is ${known}`);
      }
      const iv = sealed.subarray(magic.length + idBytes, headBytes);
      const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.concat([sealed.subarray(0, magic.length + idBytes), Buffer.from(place, "utf8")]));
      decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(headBytes, sealed.length - tagBytes)), decipher.final()]);
      } catch (cause) {
        throw new AppError("data/corrupt", "Cannot open a secret: it was changed, or sealed for another place", {
          cause,
        });
      }
    },
    sealText: (plain, place) =>
      sealedPrefix + Buffer.from(box.seal(Buffer.from(plain, "utf8"), place)).toString("base64url"),
    openText: (sealed, place) => Buffer.from(box.open(bytesOf(sealed), place)).toString("utf8"),
    isOfOlderKey: (sealed) => !head.equals(bytesOf(sealed).subarray(0, head.length)),
  };
  return box;
}

function bytesOf(sealed: string): Buffer {
  return Buffer.from(sealed.slice(sealedPrefix.length), "base64url");
}
