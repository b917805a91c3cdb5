import type { MapperManifest } from "../mapper-manifest.ts";
import type { ValueType } from "../value.ts";
import type { Fields } from "./fields.ts";
import { takeBleVisitor } from "./from-ble.ts";
import { takeModbusVisitor } from "./from-modbus.ts";
import { takeOpcuaVisitor } from "./from-opcua.ts";
import { takeBySchema } from "./from-protocol.ts";

/** Where a value lies, by the mapper's words; further fields are custom. Empty when the settings say nothing. */
export function takeVisitor(
  config: Fields,
  manifest: MapperManifest,
  type: ValueType,
): { readonly visitor?: Record<string, unknown>; readonly custom?: Record<string, unknown> } {
  const own = takeOwn(config, manifest.name, type);
  const rest = takeBySchema(config, manifest, ["visitor"]);
  const visitor = { ...own, ...rest.visitor };
  return {
    ...(Object.keys(visitor).length > 0 && { visitor }),
    ...(Object.keys(rest.custom).length > 0 && { custom: rest.custom }),
  };
}

function takeOwn(config: Fields, mapper: string, type: ValueType): Record<string, unknown> | null {
  if (mapper === "modbus") return takeModbusVisitor(config, type);
  if (mapper === "opcua") return takeOpcuaVisitor(config);
  return mapper === "ble" ? takeBleVisitor(config, type) : null;
}
