/** How a journal turns a state or an entry into bytes and back. `decode` throws on bytes that `encode` did not make. */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

interface Tagged {
  readonly $int?: string;
  readonly $bytes?: string;
  readonly $float?: string;
  readonly $plain?: unknown;
}

function pack(value: unknown): unknown {
  switch (typeof value) {
    case "bigint":
      return { $int: String(value) };
    case "number":
      // JSON has no NaN, no infinities and no negative zero; a state must come back as it was.
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $float: Object.is(value, -0) ? "-0" : `${value}` };
    case "object": {
      if (value === null) return null;
      if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
      if (Array.isArray(value)) return value.map(pack);
      const packed: Record<string, unknown> = {};
      let clash = false;
      for (const [key, item] of Object.entries(value)) {
        if (item === undefined) continue;
        clash ||= key.startsWith("$");
        packed[key] = pack(item);
      }
      return clash ? { $plain: Object.entries(packed) } : packed;
    }
    default:
      return value;
  }
}

function unpack(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(unpack);
  const tagged = value as Tagged;
  if (tagged.$int !== undefined) return BigInt(tagged.$int);
  if (tagged.$float !== undefined) return Number(tagged.$float);
  if (tagged.$bytes !== undefined) return new Uint8Array(Buffer.from(tagged.$bytes, "base64"));
  const entries = tagged.$plain !== undefined ? (tagged.$plain as [string, unknown][]) : Object.entries(value);
  return Object.fromEntries(entries.map(([key, item]) => [key, unpack(item)]));
}

/**
 * Plain data as JSON, with bigint, Uint8Array and the numbers that JSON lacks kept exactly. Keys whose value is undefined
 * are left out. The caller names the type: it reads only what it wrote itself, guarded by the record's checksum.
 */
export function plainCodec<T>(): Codec<T> {
  return {
    encode: (value) => Buffer.from(JSON.stringify(pack(value)), "utf8"),
    decode: (bytes) => unpack(JSON.parse(Buffer.from(bytes).toString("utf8"))) as T,
  };
}
