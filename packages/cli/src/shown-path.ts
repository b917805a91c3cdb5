import { isAbsolute, relative } from "node:path";

/** A path as a person in this folder would type it: "penstock-data"; what lies outside stays absolute. */
export function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  if (near === "") return ".";
  return near.split(/[\\/]/)[0] === ".." || isAbsolute(near) ? path : near;
}
