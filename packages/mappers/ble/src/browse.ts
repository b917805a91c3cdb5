import type { BrowsedNode, DriverClock } from "@penstock/mapper-sdk";
import { type Access, AppError, limits } from "@penstock/model";
import type { Adapter } from "./bluez/adapter.ts";
import { flagsOf } from "./bluez/gatt.ts";
import { characteristicInterface, deviceInterface, serviceInterface } from "./bluez/names.ts";
import { type Properties, textOf, textsOf } from "./bluez/objects.ts";
import type { Scanner } from "./bluez/scanner.ts";
import type { DBusValue } from "./dbus/body-reader.ts";
import type { Device } from "./device.ts";
import { shortUuid } from "./uuid.ts";
import { within } from "./within.ts";

export interface BrowseOptions {
  readonly adapter: Adapter;
  /** null: only what is known already */
  readonly scanner: Scanner | null;
  readonly scanMs: number;
  readonly clock: DriverClock;
  readonly signal: AbortSignal;
  readonly deviceAt: (mac: string, addressType?: "public" | "random") => Device;
}

const longestMs = 300_000;
/** Whoever asks waits ten seconds: the answer must come before. */
const mostLookMs = 5000;

/** Devices around → services, and what is advertised → characteristics. */
export async function browse(path: readonly string[], options: BrowseOptions): Promise<BrowsedNode[]> {
  const [mac, service] = path;
  if (mac === undefined) {
    await lookAround(options);
    return devicesOf(options);
  }
  if (path.length > 2 || !/^([0-9A-F]{2}:){5}[0-9A-F]{2}$/.test(mac))
    throw new AppError(
      "mapper/bad-address",
      `Cannot browse "${path.join("/").slice(0, 200)}": want a device, or its service`,
    );
  const device = options.deviceAt(mac);
  const stop = device.link.watch({ there() {}, away() {} });
  try {
    // As long as connecting takes, or until nobody waits any more.
    await device.link.ready(options.signal, longestMs);
    const at = device.link.path ?? "";
    return service === undefined
      ? [...adverts(mac, options.adapter.objects.of(at, deviceInterface)), ...services(mac, at, options)]
      : characteristics(mac, service, at, options);
  } finally {
    stop();
  }
}

async function lookAround({ scanner, scanMs, clock, signal }: BrowseOptions): Promise<void> {
  if (scanner === null) return;
  const lookMs = Math.min(scanMs, mostLookMs);
  const stop = scanner.want();
  let enough = () => {};
  const over = new Promise<void>((resolve) => {
    enough = clock.after(lookMs, resolve);
  });
  try {
    await within(over, {
      clock,
      ms: lookMs + 1000,
      signal,
      late: () => new AppError("mapper/timeout", "Cannot look around"),
    });
  } finally {
    enough();
    stop();
  }
}

function devicesOf({ adapter }: BrowseOptions): BrowsedNode[] {
  const { objects } = adapter;
  const found = objects.below(adapter.path, deviceInterface).map((path) => objects.of(path, deviceInterface));
  const strength = (device: Properties) => Number(device.get("RSSI") ?? -1000);
  found.sort((a, b) => strength(b) - strength(a));
  return found.slice(0, limits.browsedNodes).flatMap((device) => {
    const mac = textOf(device, "Address")?.toUpperCase();
    if (mac === undefined) return [];
    const name = textOf(device, "Name");
    const rssi = device.get("RSSI");
    const uuids = textsOf(device, "UUIDs").map(shortUuid);
    const said = [
      ...(typeof rssi === "number" ? [`${rssi} dBm`] : []),
      ...(textOf(device, "AddressType") === "random" ? ["random address"] : []),
      ...(uuids.length > 0 ? [`services ${uuids.slice(0, 20).join(", ")}`] : []),
    ];
    const description = said.join("; ");
    return [{ name: name === undefined ? mac : `${name} (${mac})`, path: [mac], description, hasChildren: true }];
  });
}

/** What the device tells everybody. */
function adverts(mac: string, device: Properties): BrowsedNode[] {
  const node = (
    name: string,
    visitor: Readonly<Record<string, string | number>>,
    more: Partial<BrowsedNode>,
  ): BrowsedNode => ({
    ...{ name, path: [mac, name], hasChildren: false, access: "read", type: "bytes" },
    ...{ visitor: { mode: "advertisement", ...visitor }, ...more },
  });
  const dictionary = (name: string): [DBusValue, DBusValue][] => {
    const given = device.get(name);
    return given instanceof Map ? [...(given as ReadonlyMap<DBusValue, DBusValue>)] : [];
  };
  const hex = (bytes: DBusValue) => ({
    description: bytes instanceof Uint8Array ? Buffer.from(bytes).toString("hex") : "",
  });
  return [
    ...(device.has("RSSI") ? [node("rssi", { source: "rssi" }, { type: "int16", unit: "dB[mW]" })] : []),
    ...dictionary("ManufacturerData").map(([company, bytes]) =>
      node(`manufacturer ${Number(company)}`, { source: "manufacturer", company: Number(company) }, hex(bytes)),
    ),
    ...dictionary("ServiceData").map(([uuid, bytes]) =>
      node(
        `service data ${shortUuid(String(uuid))}`,
        { source: "service", service: shortUuid(String(uuid)) },
        hex(bytes),
      ),
    ),
  ];
}

function services(mac: string, device: string, { adapter }: BrowseOptions): BrowsedNode[] {
  return adapter.objects.below(device, serviceInterface).map((path) => {
    const uuid = shortUuid(textOf(adapter.objects.of(path, serviceInterface), "UUID") ?? "");
    return { name: uuid, path: [mac, uuid], description: "service", hasChildren: true };
  });
}

function characteristics(mac: string, service: string, device: string, { adapter }: BrowseOptions): BrowsedNode[] {
  const { objects } = adapter;
  return objects.below(device, characteristicInterface).flatMap((path): BrowsedNode[] => {
    const properties = objects.of(path, characteristicInterface);
    const owner = shortUuid(textOf(objects.of(textOf(properties, "Service") ?? "", serviceInterface), "UUID") ?? "");
    if (owner !== service) return [];
    const uuid = shortUuid(textOf(properties, "UUID") ?? "");
    const flags = flagsOf(objects, path);
    const mode = flags.includes("notify") ? "notify" : flags.includes("indicate") ? "indicate" : "read";
    const visitor = { mode, service, characteristic: uuid, ...(canConfirm(flags) ? {} : { reply: false }) };
    return [
      {
        ...{ name: uuid, path: [mac, service, uuid], hasChildren: false },
        ...{ visitor, type: "bytes", access: accessOf(flags), description: flags.join(", ") },
      },
    ];
  });
}

function canConfirm(flags: readonly string[]): boolean {
  return flags.includes("write") || !flags.includes("write-without-response");
}

function accessOf(flags: readonly string[]): Access {
  const canWrite = flags.includes("write") || flags.includes("write-without-response");
  const canRead = ["read", "notify", "indicate"].some((flag) => flags.includes(flag));
  return canWrite ? (canRead ? "readWrite" : "write") : "read";
}
