import { AppError } from "@penstock/model";
import type { Address } from "../fields.ts";
import { fullUuid } from "../uuid.ts";
import { deviceInterface } from "./names.ts";
import { type Objects, type Properties, textOf, textsOf } from "./objects.ts";

/** Whether it is the device that is meant, by what bluetoothd knows of it. */
export function isMeant(address: Address, device: Properties): boolean {
  const { by, mac, name, service, addressType } = address;
  if (addressType !== undefined && textOf(device, "AddressType") !== addressType) return false;
  if (by === "name") return textOf(device, "Name") === name;
  if (by === "service") return textsOf(device, "UUIDs").includes(fullUuid(service ?? ""));
  return textOf(device, "Address")?.toUpperCase() === mac?.toUpperCase().replaceAll("-", ":");
}

/**
 * The path of the device; null while the adapter does not know it.
 *
 * @throws AppError mapper/bad-address when several are meant: the values of one must not be taken for those of another
 */
export function findDevice(objects: Objects, adapter: string, address: Address): string | null {
  const found = objects
    .below(adapter, deviceInterface)
    .filter((path) => isMeant(address, objects.of(path, deviceInterface)));
  if (found.length < 2) return found[0] ?? null;
  const which = found.slice(0, 5).map((path) => textOf(objects.of(path, deviceInterface), "Address") ?? path);
  throw new AppError(
    "mapper/bad-address",
    `Cannot tell which device is ${shownAddress(address)}: ${which.join(", ")}; state address.mac`,
  );
}

export function shownAddress({ by, mac, name, service }: Address): string {
  if (by === "name") return `"${name}"`;
  return by === "service" ? `the one with service ${service}` : String(mac);
}
