import type { OpenContext } from "@penstock/mapper-sdk";
import { OpcuaConnection } from "./connection.ts";
import type { ConnectionSettings } from "./fields.ts";

/** The only way from outside to what loads the library. */
export function openConnection(settings: ConnectionSettings, context: OpenContext): Promise<OpcuaConnection> {
  return OpcuaConnection.open(settings, context);
}
