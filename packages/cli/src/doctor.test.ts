import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openSecrets, realFiles, systemRandom } from "@penstock/runtime";
import { saveContext } from "./context.ts";
import { nodeFindings } from "./doctor-nodes.ts";
import { portsToCheck } from "./doctor-ports.ts";
import { secretFindings } from "./doctor-secrets.ts";
import { exitCodes } from "./exit-codes.ts";
import { shownPath } from "./shown-path.ts";

const folder = mkdtempSync(join(tmpdir(), "penstock-doctor-"));
after(() => rmSync(folder, { recursive: true }));

const outbox = { readings: 3, bytes: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false };
const status = { connected: true, lastSeenAt: null, agentVersion: "1.2.3", joined: true, certificateExpiresAt: null };
const found = (counters: Record<string, number>) =>
  nodeFindings({ metadata: { name: "gw-01" } as never, status: { ...status, outbox, counters } });

test("nodeFindings() finds fault with what was dropped or refused, and with nothing else", () => {
  const well = { what: "node gw-01", ok: true, detail: "connected, 3 readings wait, 0 dropped" };
  assert.deepEqual(found({}), [well]);
  assert.deepEqual(found({ penstock_collect_cycles_total: 7, penstock_bypass_refused_total: 0 }), [well]);
  const [first, second, ...more] = found({ penstock_bus_dropped_readings_total: 4 });
  assert.deepEqual([first, more], [well, []]);
  assert.equal(second?.ok, false);
  assert.match(second.detail, /^penstock_bus_dropped_readings_total is 4 /);
});

test("portsToCheck() takes those of the penstock up that runs, else the usual ones, unless some are given", () => {
  const usual = [8443, 8080, 1883].map((port) => ({ port, user: null }));
  assert.deepEqual(portsToCheck(folder, undefined), usual);
  const context = { server: "http://127.0.0.1:2", token: "t", tenant: "default" };
  const save = (pid: number) =>
    saveContext(join(folder, "context.json"), { ...context, demo: { pid, ports: { cloud: 1, local: 2, mqtt: 3 } } });
  save(process.pid);
  const page = { port: 2, user: "the running penstock up: page" };
  assert.deepEqual(portsToCheck(folder, undefined)[1], page);
  assert.deepEqual(portsToCheck(folder, ["2", "99"]), [page, { port: 99, user: null }]);
  assert.throws(() => portsToCheck(folder, ["70000"]), /--ports/);
  // Beyond the largest process number of any system: it was killed and left its ports behind.
  save(2 ** 30);
  assert.deepEqual(portsToCheck(folder, undefined), usual);
});

test("shownPath() is relative inside this folder only", () => {
  assert.equal(shownPath(join(process.cwd(), "penstock-data", "cloud")), join("penstock-data", "cloud"));
  assert.equal(shownPath(process.cwd()), ".");
  assert.equal(shownPath(join(process.cwd(), "..data")), "..data");
  assert.equal(shownPath(folder), folder);
});

test("penstock doctor ends with the documented exit code when it finds fault", () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const empty = mkdtempSync(join(folder, "empty-"));
  const env = { PATH: process.env.PATH, XDG_CONFIG_HOME: empty };
  const run = spawnSync(process.execPath, [main, "doctor"], { cwd: empty, env, encoding: "utf8" });
  assert.match(run.stdout, /^!! {2}cloud +Not logged in/m, run.stderr);
  assert.equal(run.status, exitCodes.setup.number);
});

test("secretFindings() says where the key comes from, and finds fault with one that others can read", async () => {
  const data = join(folder, "data");
  const cloud = join(data, "cloud");
  mkdirSync(cloud, { recursive: true });
  assert.deepEqual(await secretFindings(data), []);
  const open = (credentials?: string) =>
    openSecrets({ files: realFiles(), folder: cloud, credentials, random: systemRandom });
  const { keyId } = (await open()).box;
  const told = async () => (await secretFindings(data)).map(({ ok, detail }) => [ok, detail]);
  assert.deepEqual(await told(), [[true, `key ${keyId} comes from the file secret.key`]]);
  assert.deepEqual((await secretFindings(cloud)).length, 1);
  chmodSync(join(cloud, "secret.key"), 0o644);
  const [[ok, detail] = []] = await told();
  assert.equal(ok, false);
  assert.match(String(detail), /others can read its key: .*mode 644; chmod 600 it/);

  const credentials = join(folder, "credentials");
  mkdirSync(credentials);
  writeFileSync(join(credentials, "secret.key"), "ab".repeat(32), { mode: 0o400 });
  chmodSync(join(cloud, "secret.key"), 0o600);
  await open(credentials);
  assert.match(
    String((await told())[0]?.[1]),
    /comes from the systemd credential secret.key, older ones from the file/,
  );
  rmSync(join(cloud, "secret.key"));
  assert.match(String((await told())[0]?.[1]), /comes from the systemd credential secret.key$/);
});
