import { AppError } from "@penstock/model";
import type { DmiMapperInfo } from "@penstock/wire";
import type { Registration } from "./mapper-link.ts";

/** What a mapper says of itself. @throws AppError input/invalid naming the field */
export function registrationOf(mapper: DmiMapperInfo | null): Registration {
  const { name = "", protocol = "", version = "", address = new Uint8Array() } = mapper ?? {};
  const path = new TextDecoder().decode(address).replace(/^unix:(\/\/)?/, "");
  const wrong = (field: string, value: string, rule: string) =>
    new AppError("input/invalid", `Cannot register a mapper: ${field} ${JSON.stringify(value.slice(0, 80))}: ${rule}`);
  const isName = (text: string) => text !== "" && text.length <= 253;
  if (!isName(name)) throw wrong("name", name, "must be 1..253 characters");
  if (!isName(protocol)) throw wrong("protocol", protocol, "must be 1..253 characters");
  if (!path.startsWith("/") || path.length > 4096)
    throw wrong("address", path, "must be the absolute path of a socket");
  return { name, protocol, version: version.slice(0, 64), address: path };
}
