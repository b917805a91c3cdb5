import { BodyReader, type DBusValue } from "./body-reader.ts";
import { BodyWriter, type Written } from "./body-writer.ts";
import { broken } from "./broken.ts";

/** D-Bus Specification 0.43, "Message Format" */
export const messageKinds = { call: 1, return: 2, error: 3, signal: 4 } as const;
const headerBytes = 16;
/** the specification allows 128 MiB; what BlueZ knows of ten thousand devices is a tenth of this */
const mostBytes = 16 * 1024 * 1024;
const fieldNames = [
  "",
  "path",
  "interface",
  "member",
  "errorName",
  "replySerial",
  "destination",
  "sender",
  "signature",
] as const;

/** A message as it came. */
export interface InMessage {
  readonly kind: number;
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly replySerial?: number;
  readonly sender?: string;
  readonly body: readonly DBusValue[];
}
/** A question to the owner of a name. */
export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly Written[];
}

/** @param serial  1..2^32−1, not in use for another call of the connection */
export function callBytes(call: BusCall, serial: number): Uint8Array {
  const body = new BodyWriter();
  const { signature = "" } = call;
  body.all(signature, call.body ?? []);
  const message = new BodyWriter();
  const field = (code: number, type: string, value: string): Written => [code, { signature: type, value }];
  message.all("yyyyuua(yv)", [
    ...["l".charCodeAt(0), messageKinds.call, 0, 1, body.bytes.length, serial],
    [
      field(1, "o", call.path),
      field(2, "s", call.interface),
      field(3, "s", call.member),
      field(6, "s", call.destination),
      ...(signature === "" ? [] : [field(8, "g", signature)]),
    ],
  ]);
  message.align(8);
  return Buffer.concat([message.bytes, body.bytes]);
}

/**
 * How long the message is that begins with these bytes; null while they do not say.
 *
 * @throws AppError mapper/bad-answer when no message begins so
 */
export function messageLength(bytes: Uint8Array): number | null {
  if (bytes.length < headerBytes) return null;
  const isLittle = isLittleOf(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const fields = view.getUint32(12, isLittle);
  const length = headerBytes + Math.ceil(fields / 8) * 8 + view.getUint32(4, isLittle);
  if (length > mostBytes) throw broken(`${length} bytes, limit ${mostBytes}`);
  return length;
}

/** @throws AppError mapper/bad-answer */
export function readMessage(bytes: Uint8Array): InMessage {
  const isLittle = isLittleOf(bytes);
  const header = new BodyReader(bytes, { isLittle });
  const [, kind, , , bodyLength, serial, given] = header.all("yyyyuua(yv)") as [
    ...[number, number, number, number, number, number],
    readonly (readonly [number, DBusValue])[],
  ];
  const fields: Partial<Record<(typeof fieldNames)[number], DBusValue>> = {};
  for (const [code, value] of given) {
    const name = fieldNames[code];
    if (name === undefined || name === "") continue;
    if (typeof value !== (name === "replySerial" ? "number" : "string")) throw broken(`the field "${name}"`);
    fields[name] = value;
  }
  const { signature = "", ...rest } = fields;
  const body = new BodyReader(bytes.subarray(bytes.length - bodyLength), { isLittle });
  // The types of the fields have just been looked at.
  return {
    kind,
    serial,
    ...(rest as Omit<InMessage, "kind" | "serial" | "body">),
    body: body.all(signature as string),
  };
}

function isLittleOf(bytes: Uint8Array): boolean {
  const order = String.fromCharCode(bytes[0]!);
  if ((order !== "l" && order !== "B") || bytes[3] !== 1) throw broken("it does not begin as one");
  return order === "l";
}
