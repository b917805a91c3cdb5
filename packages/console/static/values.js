/** Values as the API prints them: 64-bit integers stay decimal strings all the way, so no digit is lost. */

export function show(type, value) {
  if (value === null || value === undefined) return "–";
  if (type === "json") return JSON.stringify(value);
  if (type === "float32" || type === "float64") return Number(value.toPrecision(7)).toString();
  return String(value);
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
