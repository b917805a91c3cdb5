/**
 * Reads just enough of a TLS ClientHello to know where the connection belongs, from whatever bytes have come so far. Pure;
 * never throws, never reads beyond what its own lengths allow.
 *
 * @source RFC 8446, 4.1.2 (ClientHello), 5.1 (record layer); RFC 7301, 3.1 (ALPN); RFC 6066, 3 (server name)
 */
export type ClientHello =
  | { readonly state: "more" }
  | { readonly state: "hello"; readonly alpn: readonly string[]; readonly serverName: string | null }
  /** a record or handshake that is no ClientHello */
  | { readonly state: "bad"; readonly why: string }
  | { readonly state: "not-tls" };

/** A hello has no use for more; real ones, post-quantum keys included, stay below 4 kB. */
export const helloBytesBound = 16_384;
const recordBytesBound = 16_384;
const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const alpnExtension = 16;

export function parseClientHello(bytes: Uint8Array): ClientHello {
  const handshake = joinRecords(bytes);
  if ("state" in handshake) return handshake;
  const { data, isWhole } = handshake;
  if (data.length < 4) return { state: "more" };
  if (data[0] !== clientHello) return bad("handshake is no ClientHello");
  const length = (data[1]! << 16) | (data[2]! << 8) | data[3]!;
  if (length > helloBytesBound) return bad(`ClientHello of ${length} bytes, limit ${helloBytesBound}`);
  if (data.length < 4 + length) return isWhole ? { state: "more" } : bad("ClientHello ends in another record");
  return readHello(data.subarray(4, 4 + length));
}

/** Joins the handshake bytes of the leading records; a hello may be cut into records at any byte. */
function joinRecords(bytes: Uint8Array): ClientHello | { data: Uint8Array; isWhole: boolean } {
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] !== handshakeRecord) {
      if (at === 0) return { state: "not-tls" };
      return { data: joined(parts), isWhole: false };
    }
    if (bytes.length >= at + 2 && bytes[at + 1] !== 3) return { state: "not-tls" };
    if (bytes.length < at + 5) break;
    const length = (bytes[at + 3]! << 8) | bytes[at + 4]!;
    if (length === 0 || length > recordBytesBound) return bad(`record of ${length} bytes`);
    parts.push(bytes.subarray(at + 5, Math.min(bytes.length, at + 5 + length)));
    at += 5 + length;
  }
  return { data: joined(parts), isWhole: true };
}

function readHello(body: Uint8Array): ClientHello {
  const reader = new Reader(body);
  reader.skip(2 + 32); // legacy_version, random
  reader.skip(reader.uint8()); // legacy_session_id
  reader.skip(reader.uint16()); // cipher_suites
  reader.skip(reader.uint8()); // legacy_compression_methods
  let alpn: readonly string[] = [];
  let serverName: string | null = null;
  // TLS 1.2 clients may send no extensions at all.
  const extensions = new Reader(reader.isAtEnd ? new Uint8Array(0) : reader.take(reader.uint16()));
  while (!reader.isBroken && !extensions.isAtEnd && !extensions.isBroken) {
    const type = extensions.uint16();
    const data = new Reader(extensions.take(extensions.uint16()));
    if (type === alpnExtension) alpn = readAlpn(data);
    if (type === serverNameExtension) serverName = readServerName(data);
    if (data.isBroken) return bad(`extension ${type} breaks its own lengths`);
  }
  if (reader.isBroken || extensions.isBroken) return bad("ClientHello breaks its own lengths");
  return { state: "hello", alpn, serverName };
}

function readAlpn(data: Reader): string[] {
  const names: string[] = [];
  const list = new Reader(data.take(data.uint16()));
  while (!list.isAtEnd && !list.isBroken) names.push(latin1(list.take(list.uint8())));
  if (list.isBroken) data.isBroken = true;
  return names;
}

function readServerName(data: Reader): string | null {
  const list = new Reader(data.take(data.uint16()));
  let found: string | null = null;
  while (!list.isAtEnd && !list.isBroken) {
    const type = list.uint8();
    const name = list.take(list.uint16());
    if (type === 0 && found === null) found = latin1(name);
  }
  if (list.isBroken) data.isBroken = true;
  return found;
}

/** Reads numbers and slices; once a length goes beyond the end it is broken and gives zeros. */
class Reader {
  isBroken = false;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }
  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) {
      this.isBroken = true;
      return new Uint8Array(0);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
  skip(length: number): void {
    this.take(length);
  }
  uint8(): number {
    return this.take(1)[0] ?? 0;
  }
  uint16(): number {
    const [high = 0, low = 0] = this.take(2);
    return (high << 8) | low;
  }
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function bad(why: string): ClientHello {
  return { state: "bad", why };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  return new Uint8Array(Buffer.concat(parts));
}
