type Lose = (field: string, value: unknown, why: string) => void;
type Fields = Readonly<Record<string, unknown>>;

const places: ReadonlyMap<string, string> = new Map([
  ["host", "ip"],
  ["port", "port"],
  ["path", "serialPort"],
  ["baud", "baudRate"],
  ["dataBits", "dataBits"],
  ["parity", "parity"],
  ["stopBits", "stopBits"],
]);

/** Our Modbus settings in the words of `takeModbusPlace`. */
export function toModbusPlace(settings: Fields, address: Fields, lose: Lose): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(settings)) {
    const theirs = places.get(field);
    if (theirs !== undefined) config[theirs] = value;
    else if (field !== "transport" || (value !== "tcp" && value !== "rtu")) {
      lose(`spec.connection.settings.${field}`, value, "KubeEdge's Modbus has no such setting");
    }
  }
  for (const [field, value] of Object.entries(address)) {
    if (field === "unitId") config.slaveID = value;
    else lose(`spec.address.${field}`, value, "KubeEdge's Modbus has no such setting");
  }
  return config;
}

const registers: ReadonlyMap<unknown, string> = new Map([
  ["coil", "CoilRegister"],
  ["discrete", "DiscreteInputRegister"],
  ["input", "InputRegister"],
  ["holding", "HoldingRegister"],
]);
const sizes: Readonly<Record<string, number>> = { int32: 2, float32: 2, int64: 4, float64: 4 };
/** Numbers that a limit alone does not tell from others of their size; they come back signed. */
const unsaid = ["uint32", "uint64", "bcd16", "bcd32"];

/** Where a value lies, in the words of `takeModbusVisitor`. */
export function toModbusVisitor(visitor: Fields, at: string, lose: Lose): Record<string, unknown> {
  const { table, offset, raw, length, scale, wordOrder, ...others } = visitor;
  for (const [field, value] of Object.entries(others)) {
    lose(`${at}.visitor.${field}`, value, "KubeEdge's Modbus has no such setting");
  }
  if (unsaid.includes(String(raw)))
    lose(`${at}.visitor.raw`, raw, "KubeEdge's Modbus knows signed numbers and floats by their size only");
  const config: Record<string, unknown> = { register: registers.get(table) ?? table, offset };
  if (table === "coil" || table === "discrete") config.limit = 1;
  else config.limit = length ?? sizes[String(raw).replace("uint", "int").replace("bcd", "int")] ?? 1;
  if (scale !== undefined) config.scale = scale;
  if (wordOrder === "BADC" || wordOrder === "DCBA") config.isSwap = true;
  if (wordOrder === "CDAB" || wordOrder === "DCBA") config.isRegisterSwap = true;
  return config;
}
