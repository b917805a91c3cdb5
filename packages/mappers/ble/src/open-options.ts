import type { OpenContext } from "@penstock/mapper-sdk";
import { parseBusAddress, systemBusAddress } from "./dbus/bus-address.ts";
import type { ConnectionSettings } from "./fields.ts";

/** What one connection is about, once its settings are looked at. */
export function openOptions(settings: ConnectionSettings, { line, clock, log, signal }: OpenContext) {
  const bus = settings.bus ?? systemBusAddress;
  return {
    bus,
    adapter: {
      ...{ address: parseBusAddress(bus), name: settings.adapter, powerOn: settings.powerOn },
      ...{ clock, log, signal, timeoutMs: line.timeoutMs, connectTimeoutMs: line.connectTimeoutMs },
    },
    device: {
      ...{ mayScan: settings.scan !== "never", scanMs: settings.scanSeconds * 1000 },
      ...{ connectMs: settings.connectSeconds * 1000, line, clock, log },
    },
  };
}
