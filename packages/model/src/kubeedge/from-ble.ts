import { isObject } from "../is-object.ts";
import type { ValueType } from "../value.ts";
import type { Fields } from "./fields.ts";

/** How KubeEdge's Bluetooth settings are told in ours: v1alpha1 and v1alpha2 `bluetooth`, and the same names in v1beta1's configData. */
export function takeBlePlace(config: Fields) {
  const mac = config.text("macAddress") ?? config.text("mac");
  if (mac === undefined) {
    const why = "the device is known by its address here, by its name, or by a service";
    config.tell("macAddress", { level: "lossy", why, todo: "state address.mac, or by and name" });
  }
  return { settings: {}, address: mac === undefined ? {} : { mac } };
}

const arithmeticWords = ["multiply", "divide", "add", "subtract"];

/** @returns null when it names no characteristic */
export function takeBleVisitor(config: Fields, type: ValueType): Record<string, unknown> | null {
  const characteristic = config.text("characteristicUUID");
  if (characteristic === undefined) return null;
  // KubeEdge's own sample has the converter's fields beside an empty dataConverter, and the words beside an empty dataWrite.
  const converter = isObject(config.peek("dataConverter")) ? config.child("dataConverter") : config;
  const visitor: Record<string, unknown> = { characteristic };
  const isText = type === "string" || type === "bytes";
  for (const [theirs, ours] of [
    ["startIndex", "start"],
    ["endIndex", "end"],
    ["shiftLeft", "shiftLeft"],
    ["shiftRight", "shiftRight"],
  ] as const) {
    const value = converter.number(theirs);
    const isShift = ours.startsWith("shift");
    if (value === undefined || (isShift && value === 0)) continue;
    if (isShift && isText)
      converter.tell(theirs, { level: "lossy", why: `a property of type ${type} has no bits to shift` });
    else if (ours === "shiftRight" && visitor.shiftLeft !== undefined)
      converter.tell(theirs, { level: "note", why: "KubeEdge shifts left only where both are stated, and so do we" });
    else visitor[ours] = value;
  }
  const arithmetic = takeOperations(converter);
  if (arithmetic.length > 0 && isText)
    converter.tell("orderOfOperations", { level: "lossy", why: `no arithmetic is done with type ${type}` });
  else if (arithmetic.length > 0) visitor.operations = arithmetic;
  const words = takeWords(config);
  if (words.length > 0 && type === "string") visitor.words = words;
  else if (words.length > 0) {
    const why = `words stand for bytes of a property of type string, and this one has type ${type}`;
    config.tell("dataWrite", { level: "lossy", why, todo: `type: string, visitor.words: ${JSON.stringify(words)}` });
  }
  return visitor;
}

function takeOperations(converter: Fields): string[] {
  return converter.list("orderOfOperations").flatMap((item) => {
    const given = (item.text("operationType") ?? "").toLowerCase();
    const word = arithmeticWords.find((one) => one === given);
    const value = item.number("operationValue");
    if (word === undefined)
      item.tell("operationType", { level: "lossy", why: "must be Multiply, Divide, Add or Subtract: left out" });
    if (word === undefined || value === undefined) return [];
    // Decimals as people write them: 1e-7 is 0.0000001.
    const decimal = value.toFixed(15).replace(/\.?0+$/, "");
    return [`${word} ${decimal}`];
  });
}

/** Words with their bytes: in dataWrite, or beside an empty one. */
function takeWords(config: Fields): string[] {
  const key = ["dataWrite", "dataWriteToBluetooth"].find((name) => isObject(config.peek(name)));
  const given = key === undefined ? config : config.child(key);
  const isBytes = (value: unknown): value is number[] =>
    Array.isArray(value) && value.length > 0 && value.every((one) => Number.isInteger(one) && one >= 0 && one < 256);
  const words: string[] = [];
  for (const word of given.left()) {
    const value = given.peek(word);
    if (!isBytes(value)) continue;
    given.take(word);
    words.push(`${word}=${value.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`);
  }
  return words;
}
