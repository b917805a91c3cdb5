import type { ValueType } from "../value.ts";
import type { Fields } from "./fields.ts";

/** How KubeEdge's Modbus settings are told in ours: v1alpha1 rtu and tcp, v1alpha2 common.com and common.tcp, v1beta1 all in one. */
export function takeModbusPlace(config: Fields, common: Fields | null) {
  const old = ["rtu", "tcp"].find((one) => config.has(one));
  const own = old === undefined ? config : config.child(old);
  const serial = common?.has("com") === true ? common.child("com") : own;
  const network = common?.has("tcp") === true ? common.child("tcp") : own;
  const unitId = ["slaveID", "slaveId", "slaveid", "unitId"]
    .map((key) => own.number(key))
    .find((one) => one !== undefined);
  const path = serial.text("serialPort");
  const settings: Record<string, unknown> = {};
  if (path !== undefined) {
    Object.assign(settings, { transport: "rtu", path });
    for (const [theirs, ours] of [
      ["baudRate", "baud"],
      ["dataBits", "dataBits"],
      ["stopBits", "stopBits"],
    ] as const) {
      const value = serial.number(theirs);
      if (value !== undefined) settings[ours] = value;
    }
    const parity = serial.text("parity")?.toLowerCase();
    if (parity !== undefined) settings.parity = parity;
    if (network !== serial || network.has("ip")) {
      for (const key of ["ip", "port"])
        network.lose(key, "the device has a serial port, which is taken", "describe two devices");
    }
  } else {
    const host = network.text("ip") ?? network.text("host");
    const port = network.number("port");
    if (host !== undefined) settings.host = host;
    if (port !== undefined) settings.port = port;
  }
  return { settings, address: unitId === undefined ? {} : { unitId } };
}

const tables: ReadonlyMap<string, string> = new Map([
  ["coilregister", "coil"],
  ["discreteinputregister", "discrete"],
  ["inputregister", "input"],
  ["holdingregister", "holding"],
]);

/** What `limit` registers hold, by the property's type. */
const numbers: Readonly<Record<"integer" | "fraction", Readonly<Record<number, string>>>> = {
  integer: { 1: "int16", 2: "int32", 4: "int64" },
  fraction: { 1: "int16", 2: "float32", 4: "float64" },
};

/** @returns null when it says nothing of where the value lies that we could take */
export function takeModbusVisitor(config: Fields, type: ValueType): Record<string, unknown> | null {
  const register = config.text("register");
  const table = tables.get((register ?? "").toLowerCase());
  if (register !== undefined && table === undefined) {
    const why = `must be one of CoilRegister, DiscreteInputRegister, InputRegister, HoldingRegister`;
    config.tell("register", { level: "lossy", why, todo: "state visitor.table" });
  }
  const offset = config.number("offset");
  const limit = config.number("limit");
  const scale = config.number("scale");
  const swapBytes = config.flag("isSwap") ?? false;
  const swapRegisters = config.flag("isRegisterSwap") ?? false;
  if (table === undefined || offset === undefined) return null;
  const visitor: Record<string, unknown> = { table, offset };
  if (scale !== undefined && scale !== 1) visitor.scale = scale;
  if (table === "coil" || table === "discrete") {
    if (limit !== undefined && limit !== 1)
      config.tell("limit", { level: "lossy", why: "a property is one bit of a bit table: only the first is taken" });
    for (const key of ["isSwap", "isRegisterSwap"]) {
      if (config.flag(key) === true)
        config.tell(key, { level: "note", why: "a bit has no order of bytes: nothing is swapped" });
    }
    return visitor;
  }
  const registers = limit ?? 1;
  if (type === "string" || type === "bytes") Object.assign(visitor, { raw: type, length: registers });
  else if (type === "bool") {
    visitor.raw = "uint16";
    if (registers !== 1)
      config.tell("limit", { level: "lossy", why: "a bool lies in one register: only the first is taken" });
  } else {
    const kind = type === "float32" || type === "float64" ? "fraction" : "integer";
    const raw = numbers[kind][registers];
    if (raw === undefined)
      config.tell("limit", {
        level: "lossy",
        why: "a number lies in 1, 2 or 4 registers: 1 is taken",
        todo: "state visitor.raw",
      });
    visitor.raw = raw ?? "int16";
  }
  const order = swapBytes
    ? swapRegisters && registers > 1
      ? "DCBA"
      : "BADC"
    : swapRegisters && registers > 1
      ? "CDAB"
      : "ABCD";
  if (order !== "ABCD") visitor.wordOrder = order;
  if (swapRegisters && registers === 1)
    config.tell("isRegisterSwap", { level: "note", why: "one register has no order of registers: nothing is swapped" });
  return visitor;
}
