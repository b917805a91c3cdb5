import { bool, int, list, oneOf, type Settings, text } from "@penstock/mapper-sdk";
import { operationPattern } from "./convert/operations.ts";
import { uuidPattern } from "./uuid.ts";

const macPattern = "^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$";

export const connectionFields = {
  adapter: text({
    default: "hci0",
    pattern: `^hci[0-9]{1,3}$|${macPattern}`,
    summary: "The machine's Bluetooth adapter, by its name or its own address",
  }),
  bus: text({
    optional: true,
    example: "unix:path=/run/dbus/system_bus_socket",
    summary: "D-Bus address at which bluetoothd is; the system bus when missing",
  }),
  powerOn: bool({ default: true, summary: "Switches the adapter on when it is off" }),
  scan: oneOf(["needed", "always", "never"], {
    default: "needed",
    summary:
      "needed: while a device is not known yet, or its advertisements are a source; never: only what BlueZ knows already",
  }),
  scanSeconds: int({
    min: 1,
    max: 600,
    default: 10,
    unit: "s",
    summary: "How long to look for a device; browse looks for 5 s at most",
  }),
  leastRssi: int({ min: -127, max: 20, optional: true, unit: "dBm", summary: "Devices weaker than this are not seen" }),
  connectSeconds: int({
    ...{ min: 1, max: 300, default: 30, unit: "s" },
    summary: "How long a device may take until it is connected and its services are known",
  }),
};

export const addressFields = {
  by: oneOf(["mac", "name", "service"], { default: "mac", summary: "What the device is known by" }),
  mac: text({ optional: true, pattern: macPattern, example: "BC:6A:29:AE:CC:96", summary: "Its Bluetooth address" }),
  name: text({ optional: true, maxLength: 248, summary: "The name it advertises, the whole of it" }),
  service: text({ optional: true, pattern: uuidPattern, example: "181a", summary: "UUID of a service it advertises" }),
  addressType: oneOf(["public", "random"], { optional: true, summary: "Either when missing" }),
};

export const visitorFields = {
  mode: oneOf(["read", "notify", "indicate", "advertisement"], {
    default: "read",
    summary:
      "read: the device is asked; notify, indicate: it tells changes by itself (collect: { subscribe: true }); " +
      "advertisement: what it tells everybody without a connection",
  }),
  service: text({
    optional: true,
    pattern: uuidPattern,
    example: "180f",
    summary: "UUID of the service, short or long; may be missing where one service only has the characteristic",
  }),
  characteristic: text({ optional: true, pattern: uuidPattern, example: "2a19", summary: "UUID, short or long" }),
  source: oneOf(["manufacturer", "service", "rssi", "txPower", "name"], {
    optional: true,
    summary: "Of an advertisement: data of the manufacturer, data of the service, received strength, sent power, name",
  }),
  company: int({
    min: 0,
    max: 65_535,
    optional: true,
    summary: "Which manufacturer's data; the only one when missing",
  }),
  maxAge: int({
    ...{ min: 100, max: 86_400_000, default: 60_000, unit: "ms" },
    summary: "An advertisement older than this is no value any more",
  }),
  start: int({ min: 0, max: 511, optional: true, summary: "First byte of the value, from 0; all bytes when missing" }),
  end: int({
    ...{ min: 0, max: 511, optional: true },
    summary: "Last byte of it; below start, the bytes are taken backwards, which is least significant first",
  }),
  raw: oneOf(["unsigned", "signed", "float32", "float64", "text", "bytes"], {
    optional: true,
    summary: "What the bytes are, first byte most significant; follows from the property's type when missing",
  }),
  mask: text({
    optional: true,
    pattern: "^0x[0-9A-Fa-f]{1,16}$",
    example: "0x0ff0",
    summary: "Bits that count, before shifting",
  }),
  shiftLeft: int({ min: 1, max: 63, optional: true, unit: "bit", summary: "Counts are moved up by so many bits" }),
  shiftRight: int({ min: 1, max: 63, optional: true, unit: "bit", summary: "Counts are moved down; a sign stays" }),
  operations: list(text({ pattern: operationPattern, maxLength: 64, example: "multiply 0.03125" }), {
    optional: true,
    maxItems: 20,
    summary: 'Arithmetic, in this order: "multiply 0.03125", "divide 8", "add 32", "subtract 40"',
  }),
  words: list(text({ pattern: "^[^=]{1,80}=([0-9A-Fa-f]{2}){1,512}$", maxLength: 1200, example: "ON=01" }), {
    optional: true,
    maxItems: 256,
    summary: 'Words for bytes, "ON=01": written as these bytes, and read as the word',
  }),
  reply: bool({ default: true, summary: "The device confirms what is written; false: it is written without response" }),
};

export type ConnectionSettings = Settings<typeof connectionFields>;
export type Address = Settings<typeof addressFields>;
export type Visitor = Settings<typeof visitorFields>;
