/**
 * Branded identifiers: passing one for another does not compile. A uid is made once, from 128 random bits, and never
 * reused; a name is what people type, unique per tenant and kind.
 */
declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

export type TenantUid = Branded<string, "TenantUid">;
export type NodeUid = Branded<string, "NodeUid">;
export type DeviceUid = Branded<string, "DeviceUid">;
export type RuleUid = Branded<string, "RuleUid">;
export type ConnectionUid = Branded<string, "ConnectionUid">;
export type ResourceUid = Branded<string, "ResourceUid">;
/** 32 hex digits: the 128-bit number made with an outbox. */
export type Epoch = Branded<string, "Epoch">;
/** 32 hex digits, made at every start of an agent process. */
export type BootId = Branded<string, "BootId">;
/** Whole microseconds since 1970-01-01T00:00:00Z. Below 2^53 until the year 2255, so a number holds it exactly. */
export type Micros = Branded<number, "Micros">;

/** Thirty-two lower-case hex digits from sixteen random bytes. */
export function hexId<T extends string>(bytes: Uint8Array): T {
  let text = "";
  for (const byte of bytes.subarray(0, 16)) text += byte.toString(16).padStart(2, "0");
  return text as T;
}

const hex32 = /^[0-9a-f]{32}$/;
export function isHexId(text: unknown): text is string {
  return typeof text === "string" && hex32.test(text);
}

/** @source RFC 1123, 2.1; Kubernetes calls the same shape a DNS label */
export const dnsLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
