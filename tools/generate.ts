/**
 * Writes every generated file; `staleFiles()` says which differ from what the code makes now.
 * Each generator is a pure function from the code that runs to a text.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { architecture } from "./architecture.ts";
import { conformancePage } from "./conformance.ts";
import { cliReference } from "./reference-cli.ts";
import { errorReference } from "./reference-errors.ts";
import { exitCodeReference } from "./reference-exit-codes.ts";
import { httpReference, openApiDocument } from "./reference-http.ts";
import { limitReference } from "./reference-limits.ts";
import { localApiReference } from "./reference-local-api.ts";
import { mapperFiles } from "./reference-mappers.ts";
import { metricReference } from "./reference-metrics.ts";
import { settingsReference } from "./reference-settings.ts";
import { sqlFunctionReference } from "./reference-sql-functions.ts";
import { root } from "./repository.ts";
import { unitTextModule } from "./unit-text-module.ts";

const generators: Readonly<Record<string, () => string | Promise<string>>> = {
  "ARCHITECTURE.md": architecture,
  "docs/reference/cli.md": cliReference,
  "docs/reference/errors.md": errorReference,
  "docs/reference/exit-codes.md": exitCodeReference,
  "docs/reference/http.md": httpReference,
  "docs/reference/limits.md": limitReference,
  "docs/reference/local-api.md": localApiReference,
  "docs/reference/mappers/conformance.md": conformancePage,
  "docs/reference/metrics.md": metricReference,
  "docs/reference/openapi.json": openApiDocument,
  "docs/reference/settings.md": settingsReference,
  "docs/reference/sql-functions.md": sqlFunctionReference,
  "packages/console/static/unit-text.js": unitTextModule,
  ...mapperFiles(),
};

export async function staleFiles(): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, make] of Object.entries(generators)) {
    let now: string | null = null;
    try {
      now = readFileSync(resolve(root, path), "utf8");
    } catch {
      // Missing is stale too.
    }
    if (now !== (await make())) stale.push(`${path}: differs from what the code says; run npm run generate`);
  }
  return stale;
}

if (import.meta.main) {
  for (const [path, make] of Object.entries(generators)) {
    mkdirSync(dirname(resolve(root, path)), { recursive: true });
    writeFileSync(resolve(root, path), await make());
    console.log(path);
  }
}
