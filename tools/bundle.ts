/**
 * Makes packages/cli/dist: everything that ships, as plain JavaScript beside the `penstock` command, with the npm packages
 * it uses in it. Only native add-ons stay outside. `installed-paths.ts` of the cli says what stands where.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { build, type Metafile } from "esbuild";
import { root } from "./repository.ts";

const cli = resolve(root, "packages/cli");

/**
 * Native add-ons: npm installs the one for the machine. msgpackr does without its own when it is missing. proper-lockfile is
 * asked for by a part of the OPC UA library that locks certificate stores on disk, which ours is not.
 */
const external = ["@node-rs/argon2", "msgpackr-extract", "serialport", "proper-lockfile"];

/** Programs and workers, each by the name under which its starter looks for it. */
const entries: Readonly<Record<string, string>> = {
  main: "packages/cli/src/main.ts",
  "mapper-host": "packages/mapper-host/src/main.ts",
  "mapper-rehearsal": "packages/mapper-host/src/rehearsal/main.ts",
  "mapper-dmi": "packages/mapper-host/src/dmi/main.ts",
  plant: "packages/testkit/src/plant/main.ts",
  "series-writer": "packages/cloud/src/store/series/series-writer.ts",
  "series-reader": "packages/cloud/src/store/series/series-reader.ts",
  "table-worker": "packages/cloud/src/services/tables/table-worker.ts",
  "sqlite-worker": "packages/runtime/src/sqlite-worker.ts",
  // What mappers from elsewhere import: the same code, in one process with ours, as the mappers that come with it.
  "mapper-sdk/index": "packages/mapper-sdk/src/index.ts",
};

/** A thread has what it loads in a memory of its own: this one shares no file with others, which would bring what they need. */
const apart: Readonly<Record<string, string>> = { "rules-worker": "packages/edge/src/rules-worker.ts" };

/** CommonJS libraries call `require` for Node's own modules, which a module does not have by itself. */
const banner = `import { createRequire as makeRequire } from "node:module";
const require = makeRequire(import.meta.url);`;

export interface Bundle {
  readonly folder: string;
  /** bytes of all JavaScript */
  readonly bytes: number;
}

export async function bundle(folder: string = resolve(cli, "dist")): Promise<Bundle> {
  rmSync(folder, { recursive: true, force: true });
  const mappers = readdirSync(resolve(root, "packages/mappers")).filter((name) =>
    existsSync(resolve(root, "packages/mappers", name, "mapper.json")),
  );
  const mapperEntries = mappers.map((name) => [`mappers/${name}/index`, `packages/mappers/${name}/src/index.ts`]);
  const metafiles = [
    await made(folder, { ...entries, ...Object.fromEntries(mapperEntries) }),
    ...(await Promise.all(Object.entries(apart).map(([name, path]) => made(folder, { [name]: path })))),
  ];
  for (const name of mappers) writeManifest(resolve(root, "packages/mappers", name), join(folder, "mappers", name));
  cpSync(resolve(root, "packages/console/static"), join(folder, "console"), { recursive: true });
  cpSync(resolve(root, "packages/mapper-sdk/template"), join(folder, "mapper-template"), { recursive: true });
  writeFileSync(join(folder, "mapper-sdk/package.json"), kitPackage());
  writeFileSync(join(folder, "THIRD-PARTY-LICENSES.txt"), thirdPartyLicences(metafiles));
  const outputs = metafiles.flatMap((metafile) => Object.values(metafile.outputs));
  const bytes = outputs.reduce((sum, output) => sum + output.bytes, 0);
  return { folder, bytes };
}

async function made(folder: string, entryPoints: Readonly<Record<string, string>>): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    // Names stay, so that stack traces and profiles say what they mean; white space goes.
    minifyWhitespace: true,
    minifySyntax: true,
    keepNames: false,
    legalComments: "none",
    external,
    banner: { js: banner },
    metafile: true,
    logLevel: "error",
  });
  return metafile;
}

/** The manifest as it is in the workspace, but for where the mapper's module stands. */
function writeManifest(from: string, to: string): void {
  const manifest = JSON.parse(readFileSync(join(from, "mapper.json"), "utf8")) as Record<string, unknown>;
  mkdirSync(to, { recursive: true });
  writeFileSync(join(to, "mapper.json"), `${JSON.stringify({ ...manifest, main: "./index.js" }, null, 2)}\n`);
}

/** The kit as a package of its own, so that its name resolves from a mapper's folder that links to it. */
function kitPackage(): string {
  const { name, version, license } = JSON.parse(
    readFileSync(resolve(root, "packages/mapper-sdk/package.json"), "utf8"),
  ) as Record<string, string>;
  return `${JSON.stringify({ name, version, license, type: "module", exports: "./index.js" }, null, 2)}\n`;
}

/** The licences of the packages whose code is in the bundle ask for their text to go along. */
function thirdPartyLicences(metafiles: readonly Metafile[]): string {
  const packages = new Set<string>();
  for (const input of metafiles.flatMap((metafile) => Object.keys(metafile.inputs))) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found !== null) packages.add(found[1]!);
  }
  return [...packages]
    .sort()
    .map(licenceOf)
    .join(`\n${"-".repeat(80)}\n\n`);
}

function licenceOf(path: string): string {
  const folder = resolve(root, path);
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly [key: string]: unknown;
  };
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
  return `${String(name)} ${String(version)} (${String(license)})\n\n${texts.join("\n\n")}\n`;
}

if (import.meta.main) {
  const made = await bundle();
  console.log(`${relative(root, made.folder)}: ${Math.round(made.bytes / 1024)} kB of JavaScript`);
}
