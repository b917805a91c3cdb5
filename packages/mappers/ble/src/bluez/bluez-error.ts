import { AppError, type ErrorCode } from "@penstock/model";
import { BusError } from "../dbus/bus-error.ts";

/** @source BlueZ 5.66, src/error.c and doc/gatt-api.txt; D-Bus Specification 0.43, "Standard errors" */
const codes: Readonly<Record<string, ErrorCode>> = {
  "org.bluez.Error.NotConnected": "mapper/device-offline",
  "org.bluez.Error.NotReady": "mapper/device-offline",
  "org.bluez.Error.NotAvailable": "mapper/device-offline",
  "org.bluez.Error.DoesNotExist": "mapper/device-offline",
  "org.bluez.Error.InProgress": "mapper/device-busy",
  "org.bluez.Error.NotPermitted": "mapper/value-refused",
  "org.bluez.Error.NotAuthorized": "mapper/value-refused",
  "org.bluez.Error.InvalidValueLength": "mapper/value-refused",
  "org.bluez.Error.InvalidArguments": "mapper/value-refused",
  "org.bluez.Error.InvalidOffset": "mapper/bad-address",
  "org.bluez.Error.NotSupported": "mapper/function-unsupported",
  "org.freedesktop.DBus.Error.UnknownObject": "mapper/device-offline",
  "org.freedesktop.DBus.Error.UnknownMethod": "mapper/device-offline",
  "org.freedesktop.DBus.Error.UnknownInterface": "mapper/device-offline",
  "org.freedesktop.DBus.Error.ServiceUnknown": "mapper/connection-lost",
  "org.freedesktop.DBus.Error.NameHasNoOwner": "mapper/connection-lost",
  // The bus says so when bluetoothd went before it answered; our own time-outs are not its.
  "org.freedesktop.DBus.Error.NoReply": "mapper/connection-lost",
};

/** What a failed call means here. @param what  "read the characteristic 2a19" */
export function bluezError(cause: unknown, what: string): AppError {
  if (cause instanceof AppError) return cause;
  if (!(cause instanceof BusError)) return new AppError("internal", `Cannot ${what}`, { cause });
  const isDenied = cause.errorName === "org.freedesktop.DBus.Error.AccessDenied";
  const hint = isDenied ? " (the gateway's user must be in the group bluetooth)" : "";
  return new AppError(codes[cause.errorName] ?? "mapper/device-failure", `Cannot ${what}: ${cause.message}${hint}`, {
    cause,
  });
}
