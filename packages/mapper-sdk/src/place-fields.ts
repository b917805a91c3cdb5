import type { SettingsRule } from "@penstock/model";
import { int, oneOf, text } from "./field.ts";

/**
 * Where a line leads, in the same words for every protocol: a host and port, or a serial port. How it is used (time-outs,
 * retries, pauses) is no mapper's setting: that stands in the Connection's `line`.
 */
const host = { maxLength: 253, example: "10.0.4.12", summary: "Name or address of the device or gateway" } as const;
const path = { maxLength: 1024, example: "/dev/ttyUSB0", summary: "The serial port, by its path" } as const;

/** host, port */
export function tcpFields(options: { readonly port: number }) {
  return { host: text(host), port: int({ min: 1, max: 65535, default: options.port }) };
}

/** path, baud, dataBits, parity, stopBits */
export function serialFields() {
  return { path: text(path), ...serialParameters() };
}

/** Both, for a mapper whose transport is a setting: neither place is required but by `transportRules`. */
export function placeFields(options: { readonly port: number }) {
  return {
    ...tcpFields(options),
    host: text({ ...host, optional: true }),
    path: text({ ...path, optional: true }),
    ...serialParameters(),
  };
}

function serialParameters() {
  return {
    // Modbus over Serial Line V1.02, 2.5.1: 19200 with even parity unless agreed otherwise; other buses state theirs
    baud: int({ min: 300, max: 4_000_000, default: 19_200, summary: "Bits a second" }),
    dataBits: int({ min: 7, max: 8, optional: true, summary: "What the protocol wants unless stated" }),
    parity: oneOf(["none", "even", "odd"], { default: "even" }),
    stopBits: int({ min: 1, max: 2, default: 1 }),
  };
}

/** What of `placeFields` each transport needs and what it has no use for. @param transports words of the field `transport` */
export function transportRules(transports: {
  readonly network: readonly string[];
  readonly serial: readonly string[];
}): SettingsRule[] {
  const at = (...names: string[]) => names.map((name) => `connection.${name}`);
  const field = "connection.transport";
  return [
    {
      when: { field, in: transports.network },
      require: at("host"),
      refuse: at("path", "baud", "dataBits", "parity", "stopBits"),
      because: `transport ${transports.network.join(" and ")} leads to a host and port`,
    },
    {
      when: { field, in: transports.serial },
      require: at("path"),
      refuse: at("host", "port"),
      because: `transport ${transports.serial.join(" and ")} leads to a serial port`,
    },
  ];
}
