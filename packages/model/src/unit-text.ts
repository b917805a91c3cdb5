/** UCUM codes that people write in another way. What is not here is written as it is, such as "m/min" or "kWh". */
export const unitSymbols: ReadonlyMap<string, string> = new Map([
  ["Cel", "°C"],
  ["[degF]", "°F"],
  ["deg", "°"],
  ["Ohm", "Ω"],
  ["um", "µm"],
  ["us", "µs"],
  ["uA", "µA"],
  ["m2", "m²"],
  ["m3", "m³"],
  ["[psi]", "psi"],
  ["[in_i]", "in"],
  ["[ft_i]", "ft"],
  ["[gal_us]", "gal"],
  ["[pH]", "pH"],
  ["[ppm]", "ppm"],
]);

/**
 * A unit as people write it: "Cel/min" is "°C/min", "{bottles}/h" is "bottles/h". For people only: what programs read
 * stays UCUM. The page has a copy of this file that `npm run generate` makes.
 *
 * @source UCUM 2.2, § 6 (braces hold annotations); the tables of units (codes and their print symbols)
 */
export function unitText(unit: string): string {
  return unit.replaceAll(/\{([^{}]*)\}|[^./{}]+|\./g, (part: string, note: string | undefined, at: number) => {
    if (note !== undefined) return at === 0 || /[./]/.test(unit[at - 1] ?? "") ? note : ` ${note}`;
    return part === "." ? "·" : (unitSymbols.get(part) ?? part);
  });
}
