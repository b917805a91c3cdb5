/** Values as the API prints them: 64-bit integers stay decimal strings all the way, so no digit is lost. */
import { unitText } from "./unit-text.js";

/** All of a value. */
export function whole(type, value) {
  if (value === null || value === undefined) return "–";
  return type === "json" ? JSON.stringify(value) : String(value);
}

/** A value at a glance: six digits, but none left of the point is ever rounded away. */
export function show(type, value) {
  if (typeof value !== "number" || (type !== "float32" && type !== "float64")) return whole(type, value);
  return String(Math.abs(value) < 1e6 ? Number(value.toPrecision(6)) : Math.round(value));
}

/** "Conveyor (conveyor-01)": what people call it, and what commands do. */
export function bothNames(displayName, name) {
  return displayName === null || displayName === undefined || displayName === name ? name : `${displayName} (${name})`;
}

export function withUnit(text, unit) {
  return unit === null ? text : `${text} ${unitText(unit)}`;
}

/** "0 to 100 m/min", or null when everything goes. Bounds are decimal texts. */
export function rangeText({ minimum, maximum, unit }) {
  if (minimum === null && maximum === null) return null;
  const range =
    maximum === null ? `at least ${minimum}` : minimum === null ? `at most ${maximum}` : `${minimum} to ${maximum}`;
  return withUnit(range, unit);
}

/** A typed text as the JSON value of its type. Throws a sentence for people. */
export function parse(type, text) {
  switch (type) {
    case "bool":
      return text === "true";
    case "int64":
    case "uint64":
      if (!/^-?\d+$/.test(text.trim())) throw new Error("A whole number, please");
      return BigInt(text.trim()).toString();
    case "string":
    case "bytes":
      return text;
    case "json":
      return JSON.parse(text);
    default: {
      const number = Number(text);
      if (text.trim() === "" || !Number.isFinite(number)) throw new Error("A number, please");
      return number;
    }
  }
}

/** For drawing only. */
export function asNumber(type, value) {
  if (value === null || value === undefined) return null;
  if (type === "bool") return value ? 1 : 0;
  if (type === "string" || type === "bytes" || type === "json") return null;
  return Number(value);
}

export function clockTime(text) {
  return text === null || text === undefined ? "–" : new Date(text).toLocaleTimeString();
}
export function dateTime(text) {
  return text === null || text === undefined ? "–" : new Date(text).toLocaleString();
}
/** The time of day, with its date when it is another day's. */
export function momentText(text) {
  const isToday = new Date(text).toDateString() === new Date().toDateString();
  return isToday ? clockTime(text) : dateTime(text);
}

/** "972 ms", "1.02 s", "2.5 min": three digits at a glance. */
export function durationText(ms) {
  const units = [
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1000],
  ];
  const [unit, size] = units.find(([, size]) => Number(ms.toPrecision(3)) >= size) ?? ["ms", 1];
  return `${Number((ms / size).toPrecision(3))} ${unit}`;
}

/** "mapper/timeout" beside its sentence; either may be missing. */
export function reasonText({ reason, message }) {
  if (reason === null) return message ?? "";
  return message === null ? reason : `${message} (${reason})`;
}
