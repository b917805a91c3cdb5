import { dnsLabel } from "../ids.ts";
import { propertyNamePattern } from "../resources/device.ts";

/** The nearest DNS label: "TI SensorTag_1" → "ti-sensortag-1". */
export function asLabel(name: string): string {
  if (dnsLabel.test(name)) return name;
  const adapted = name
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, "");
  return adapted === "" ? "unnamed" : adapted;
}

const property = new RegExp(propertyNamePattern);

/** The nearest name for a property: "oil.temp (°C)" → "oil_temp_C". */
export function asProperty(name: string): string {
  if (property.test(name)) return name;
  const adapted = name
    .normalize("NFKD")
    .replaceAll(/[^A-Za-z0-9_-]+/g, "_")
    .replaceAll(/^[-_]+|_+$/g, "");
  return (/^[A-Za-z_]/.test(adapted) ? adapted : `p_${adapted}`).slice(0, 63);
}

/** `wanted`, or with a number after it when that is taken. */
export function unusedName(wanted: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(wanted)) return wanted;
  for (let i = 2; ; i++) {
    const name = `${wanted.slice(0, 63 - String(i).length - 1)}-${i}`;
    if (!isTaken(name)) return name;
  }
}
