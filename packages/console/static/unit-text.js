// Generated from packages/model/src/unit-text.ts by npm run generate.
export const unitSymbols = /* @__PURE__ */ new Map([
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
  ["[ppm]", "ppm"]
]);
export function unitText(unit) {
  return unit.replaceAll(/\{([^{}]*)\}|[^./{}]+|\./g, (part, note, at) => {
    if (note !== void 0) return at === 0 || /[./]/.test(unit[at - 1] ?? "") ? note : ` ${note}`;
    return part === "." ? "·" : unitSymbols.get(part) ?? part;
  });
}
