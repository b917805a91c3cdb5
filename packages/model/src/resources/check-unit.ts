import type { FieldError } from "../errors.ts";
import { shown } from "../shown.ts";

/** What people write instead of the UCUM code. */
const meant: ReadonlyMap<string, string> = new Map([
  ["°C", "Cel"],
  ["℃", "Cel"],
  ["°F", "[degF]"],
  ["°", "deg"],
  ["Ω", "Ohm"],
  ["µm", "um"],
  ["m²", "m2"],
  ["m³", "m3"],
  ["m³/h", "m3/h"],
]);

const component = /(?:[A-Za-z0-9%'"*^+_-]|\[[!-Z^-~]+\])+/.source;
const product = new RegExp(`^/?${component}(?:[./]${component})*$`);

/**
 * The shape of a UCUM unit: its characters, its operators, its brackets. Whether each code exists is not looked up: plants
 * have units of their own, which stand in braces.
 *
 * @source UCUM 2.2, §§ 1-12: characters, brackets, operators, annotations
 */
export function checkUnit(unit: string | undefined, field: string): FieldError[] {
  if (unit === undefined || unit === "") return [];
  let text = unit.replaceAll(/\{[^{}\p{Cc}]*\}/gu, "1");
  // Innermost parentheses first: what stands in them must be a product of its own.
  for (;;) {
    const inner = /\(([^()]*)\)/.exec(text);
    if (inner === null || !product.test(inner[1] ?? "")) break;
    text = text.replace(inner[0], "1");
  }
  if (product.test(text)) return [];
  const code = meant.get(unit);
  const rule =
    code === undefined ? "must be a UCUM unit such as Cel, m3/h, kW.h or {bottles}/min" : `must be UCUM: ${code}`;
  return [{ field, value: shown(unit), rule }];
}
