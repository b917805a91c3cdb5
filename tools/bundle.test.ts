import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { createClient } from "@penstock/api";
import { MemoryUnit, ModbusSerialServer, needs, openPtyPair } from "@penstock/testkit";
import { bundle } from "./bundle.ts";
import { repositoryFiles, root } from "./repository.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "penstock-bundle-"));
const installed = join(folder, "empty/node_modules/@penstock/cli");
const program = join(installed, "bin/penstock.js");

/**
 * Packs and installs as npm does, in a folder that sees nothing of the workspace. Staged outside it, since a dist folder
 * there would be what other tests start. What npm would fetch is linked from the workspace.
 */
before(async () => {
  const stage = join(folder, "stage");
  cpSync(resolve(root, "packages/cli"), stage, { recursive: true, filter: (path) => !path.endsWith("/dist") });
  await bundle(join(stage, "dist"));
  const packed = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], { cwd: stage });
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  mkdirSync(installed, { recursive: true });
  await run("tar", ["-xzf", join(folder, filename), "-C", installed, "--strip-components=1"]);
  for (const name of ["@node-rs", "serialport", `node-linux-${process.arch}`]) {
    const from = resolve(root, "node_modules", name);
    if (existsSync(from)) symlinkSync(from, join(folder, "empty/node_modules", name));
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("the packed command holds no source, and says its version from an empty folder", async () => {
  assert.ok(!existsSync(join(installed, "src")));
  const { stdout } = await run(process.execPath, [program, "--version"], { cwd: join(folder, "empty") });
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test("what is loaded late of a library is taken from its default export: a bundle has no other of a CommonJS one", () => {
  // Named ones are undefined there, and only when they are needed. What stays outside the bundle is loaded by Node itself.
  const late = /(.*)import\("(?!node:|\.|@penstock\/)([^"]+)"\)(\)\.default)?/g;
  const wrong = repositoryFiles()
    .filter((path) => /^packages\/[^/]+(\/[^/]+)?\/src\/.*(?<!\.test)\.ts$/.test(path))
    .flatMap((path) =>
      [...readFileSync(resolve(root, path), "utf8").matchAll(late)]
        .filter(
          ([, before, name, isDefault]) =>
            before!.endsWith("await ") && name !== "serialport" && isDefault === undefined,
        )
        .map(([found]) => `${path}: ${found}`),
    );
  assert.deepEqual(wrong, []);
});

interface Up {
  readonly page: string;
  readonly login: { readonly user: string; readonly password: string };
}
/** Runs `up` of the packed command until `during` is done; what it says on standard error must be nothing. */
async function withUp(during: (up: { readonly facts: Up; readonly lines: AsyncIterator<string> }) => Promise<void>) {
  const ports = ["--port", "--local-port", "--mqtt-port", "--plant-port"].flatMap((option) => [option, "0"]);
  const up = spawn(process.execPath, [program, "up", "--data-dir", join(folder, "data"), ...ports, "-o", "json"], {
    cwd: join(folder, "empty"),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  up.stderr.on("data", (text) => {
    errors += String(text);
  });
  const ended = once(up, "exit");
  try {
    const lines = createInterface({ input: up.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    assert.ok(first.done !== true, errors);
    await during({ facts: JSON.parse(first.value) as Up, lines });
  } finally {
    up.kill("SIGTERM");
    await ended;
  }
  assert.equal(errors, "");
}

test("the packed command brings cloud, gateway and plant up until values arrive", { timeout: 60_000 }, () =>
  withUp(async ({ lines }) => {
    const reading = await firstReading(lines);
    assert.equal(reading?.quality, "good");
  }),
);

// A worker and a native add-on that no bundle holds: what the workspace finds by itself, the bundle has to find too.
test(
  "the packed command reads and writes XLSX, and a device on a serial line",
  { ...needs("socat"), timeout: 120_000 },
  () =>
    withUp(async ({ facts }) => {
      const session = await createClient({ baseUrl: facts.page, fetch }).session.login({ body: facts.login });
      const client = createClient({ baseUrl: facts.page, token: session.token!, fetch });
      const env = { ...process.env, PENSTOCK_SERVER: facts.page, PENSTOCK_TOKEN: session.token! };
      const penstock = async (...args: readonly string[]) =>
        (await run(process.execPath, [program, ...args], { cwd: join(folder, "empty"), env })).stdout;
      const params = { tenant: "default" };
      const [node] = (await client.nodes.list({ params, query: {} })).items;

      const pair = await openPtyPair();
      const unit = new MemoryUnit({ holding: 2 });
      unit.holding[0] = 215;
      const bus = new ModbusSerialServer({ path: pair.a, units: new Map([[1, unit]]) });
      try {
        const document = {
          ...{ apiVersion: "penstock.dev/v1", kind: "Device", metadata: { name: "serial-01" } },
          spec: {
            node: node!.metadata.name,
            connection: {
              protocol: "modbus",
              settings: { transport: "rtu", path: pair.b, baud: 19_200, parity: "none" },
            },
            address: { unitId: 1 },
            properties: {
              level: { type: "uint16", visitor: { table: "holding", offset: 0 }, collect: { every: "1s" } },
            },
          },
        };
        const file = join(folder, "serial.json");
        writeFileSync(file, JSON.stringify(document));
        await penstock("apply", "-f", file);
        const until = performance.now() + 60_000;
        for (;;) {
          const { properties } = await client.twins.get({ params: { ...params, device: "serial-01" } });
          if (properties[0]?.reported?.quality === "good") {
            assert.equal(properties[0].reported.value, 215);
            break;
          }
          assert.ok(performance.now() < until, `no good value in a minute: ${JSON.stringify(properties)}`);
          await setTimeout(100);
        }
        const table = join(folder, "devices.xlsx");
        await penstock("export", "devices", "--to", table);
        assert.match(await penstock("import", table), /^0 created, 0 changed, 0 deleted/);
        await client.devices.remove({ params: { ...params, name: "serial-01" }, ifMatch: "*" });
        assert.match(await penstock("import", table), /^1 created, 0 changed, 0 deleted/);
        const again = await client.devices.get({ params: { ...params, name: "serial-01" } });
        assert.deepEqual(again.spec, document.spec);
      } finally {
        await bus.close();
        await pair.close();
      }
    }),
);

// The kit starts the mapper's process by programs that it finds from where it stands.
test("a mapper made by the packed command stands the packed conformance suite", { timeout: 120_000 }, async () => {
  const penstock = async (...args: readonly string[]) =>
    (await run(process.execPath, [program, "mapper", ...args], { cwd: join(folder, "empty") })).stdout;
  await penstock("new", "scale");
  assert.match(await penstock("check", "scale"), /^ok +conformance +test +13 passed /m);
});

async function firstReading(lines: AsyncIterator<string>): Promise<{ readonly quality: string } | null> {
  for (;;) {
    const { done, value } = await lines.next();
    if (done === true) return null;
    const said = JSON.parse(value) as { readonly event?: string; readonly quality: string };
    if (said.event === "reading") return said;
  }
}
