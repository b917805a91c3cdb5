import { make } from "./dom.js";
import { unitText } from "./unit-text.js";
import { parse, rangeText } from "./values.js";

const hints = { string: "text", bytes: "base64", json: "JSON", float32: "number", float64: "number" };

/**
 * What a value of a type is typed into, with its unit, and its range below. The server decides what is in range; the page
 * only reads what was typed.
 *
 * @param of `{ type, unit, minimum, maximum, isOptional }`
 * @param label what screen readers call it
 * @returns `{ input, notes, read() }`: notes are elements for beside it; read gives the JSON value, undefined for an optional
 *   one that is empty, and throws a sentence for people
 */
export function createValueInput(of, label) {
  const { type, unit, isOptional = false } = of;
  const about = { "aria-label": label, required: !isOptional };
  const input = type === "bool" ? choice(about) : field(of, about);
  const notes = unit === null ? [] : [make("span", { className: "unit" }, unitText(unit))];
  const range = [rangeText({ ...of, unit: null }), isOptional ? "optional" : null].filter((text) => text !== null);
  if (range.length > 0) {
    const id = `range of ${label}`.replaceAll(" ", "-");
    input.setAttribute("aria-describedby", id);
    notes.push(make("small", { className: "quiet", id }, range.join(", ")));
  }
  const read = () => (isOptional && input.value === "" ? undefined : parse(type, input.value));
  return { input, notes, read };
}

/** Nothing is chosen at first: whoever sets a switch says which way. */
function choice(about) {
  const options = ["", "true", "false"].map((value) => make("option", { value }, value === "" ? "choose" : value));
  return make("select", about, ...options);
}

function field({ type, minimum }, about) {
  if (type === "json") return make("textarea", { ...about, rows: 1, placeholder: hints.json, spellcheck: false });
  const isText = type === "string" || type === "bytes";
  // The number pads of some phones have no minus.
  const inputMode =
    isText || minimum === null || minimum.startsWith("-") ? "text" : hints[type] ? "decimal" : "numeric";
  return make("input", { ...about, inputMode, autocomplete: "off", placeholder: hints[type] ?? "whole number" });
}
