import { limits } from "@penstock/model";
import { generatedPage, markdownTable } from "./markdown.ts";

export function limitReference(): string {
  return generatedPage("Limits", "`packages/model/src/limits.ts`", [
    "Every input has a limit. What is beyond it is refused with a code that names the limit, and changes nothing.",
    "",
    ...markdownTable(
      ["limit", "value"],
      Object.entries(limits).map(([name, value]) => [`\`${name}\``, limitText(name, value)]),
    ),
  ]);
}

/** In the unit that the name carries, as people say it. */
function limitText(name: string, value: number): string {
  const units: [number, string][] = /Bytes/.test(name)
    ? [
        [2 ** 20, "MiB"],
        [2 ** 10, "KiB"],
        [1, "bytes"],
      ]
    : /Ms$/.test(name)
      ? [
          [3_600_000, "h"],
          [1000, "s"],
          [1, "ms"],
        ]
      : [[1, ""]];
  const [size, unit] = units.find(([size]) => value >= size && value % size === 0)!;
  return `${(value / size).toLocaleString("en-US")} ${unit}`.trim();
}
