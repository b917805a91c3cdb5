import { AppError } from "@penstock/model";

export type BusAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** The system bus. @source D-Bus Specification 0.43, "Well-known Message Bus Instances" */
export const systemBusAddress = "unix:path=/run/dbus/system_bus_socket";

/**
 * The first transport of an address that we speak: `unix:path=…`, `unix:abstract=…` or `tcp:host=…,port=…`.
 *
 * @throws AppError mapper/bad-address
 * @source D-Bus Specification 0.43, "Server Addresses"
 */
export function parseBusAddress(text: string): BusAddress {
  for (const one of text.split(";")) {
    const colon = one.indexOf(":");
    const given = new Map(
      one
        .slice(colon + 1)
        .split(",")
        .map((pair) => [pair.slice(0, pair.indexOf("=")), unescaped(pair.slice(pair.indexOf("=") + 1))]),
    );
    const transport = one.slice(0, colon);
    const path = given.get("path");
    const abstract = given.get("abstract");
    if (transport === "unix" && path !== undefined) return { path };
    if (transport === "unix" && abstract !== undefined) return { path: `\0${abstract}` };
    const port = Number(given.get("port"));
    if (transport === "tcp" && Number.isInteger(port) && port > 0 && port < 65_536)
      return { host: given.get("host") ?? "localhost", port };
  }
  throw new AppError("mapper/bad-address", `Cannot reach the bus "${text}": want unix:path=… or tcp:host=…,port=…`);
}

function unescaped(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
