import { Instant, kindOf, type ObjectValue, type Value } from "@penstock/rules";

/** of a text, and of an array or struct */
const charactersMost = 60;
const membersMost = 12;

/** A value of the engine for a page, as SQL has it where it has it: an integer is told from a float. */
export function writtenValue(value: Value): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number")
    return Number.isInteger(value) && Math.abs(value) < 1e21 ? value.toFixed(1) : `${value}`;
  if (value instanceof Instant) return `datetime ${new Date(value.ms).toISOString()}`;
  if (value instanceof Uint8Array)
    return `bytes ${[...value].map((one) => one.toString(16).padStart(2, "0")).join(" ")}`.trim();
  if (Array.isArray(value)) return `[${listed(value.map(writtenValue))}]`;
  if (kindOf(value) !== "struct") return String(value);
  const fields = Object.entries(value as ObjectValue).map(([name, one]) => `${name}: ${writtenValue(one)}`);
  return `{${listed(fields)}}`;
}

function listed(members: readonly string[]): string {
  const shown = members.slice(0, membersMost).join(", ");
  return members.length > membersMost ? `${shown}, … ${members.length} in all` : shown;
}

function quoted(text: string): string {
  const characters = [...text];
  const shown = characters
    .slice(0, charactersMost)
    .join("")
    .replaceAll(/[\p{C}\p{Z}\ufffd`]/gu, visible);
  return `'${shown}${characters.length > charactersMost ? "…" : ""}'`;
}

function visible(character: string): string {
  const code = character.codePointAt(0)!;
  return code === 0x20
    ? " "
    : ({ "\t": "\\t", "\n": "\\n", "\r": "\\r" }[character] ?? `\\u${code.toString(16).padStart(4, "0")}`);
}
