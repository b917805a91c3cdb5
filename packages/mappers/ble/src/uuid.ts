/** Bluetooth Core Specification 5.4, Vol 3, Part B, 2.5.1: short UUIDs stand in this one */
const base = "-0000-1000-8000-00805f9b34fb";

/** How people and device manuals write a UUID: 16 or 32 bits, or all of it with or without dashes. */
export const uuidPattern =
  "^((0[xX])?([0-9A-Fa-f]{4}|[0-9A-Fa-f]{8})|[0-9A-Fa-f]{32}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$";

/** As BlueZ writes it: 128 bits, lower case. @param given one of `uuidPattern` */
export function fullUuid(given: string): string {
  const plain = given.toLowerCase().replace(/^0x/, "").replaceAll("-", "");
  if (plain.length <= 8) return plain.padStart(8, "0") + base;
  return [plain.slice(0, 8), plain.slice(8, 12), plain.slice(12, 16), plain.slice(16, 20), plain.slice(20)].join("-");
}

/** As people write it: "2a19" where the short form says it all. @param full 128 bits, lower case */
export function shortUuid(full: string): string {
  return full.startsWith("0000") && full.endsWith(base) ? full.slice(4, 8) : full;
}
