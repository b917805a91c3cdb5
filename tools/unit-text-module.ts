import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { transformSync } from "esbuild";
import { root } from "./repository.ts";

const source = "packages/model/src/unit-text.ts";

/** The page is served as it is, without a build, and a browser reads no types: model's file without them. */
export function unitTextModule(): string {
  const { code } = transformSync(readFileSync(resolve(root, source), "utf8"), { loader: "ts", charset: "utf8" });
  return `// Generated from ${source} by npm run generate.\n${code}`;
}
