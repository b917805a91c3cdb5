import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemRandom } from "./random.ts";
import { realFiles } from "./real-files.ts";
import { openSecrets } from "./secret-key.ts";

function stage(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "penstock-secrets-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const credentials = join(folder, "credentials");
  const open = (given?: string) =>
    openSecrets({ files: realFiles(), folder, credentials: given, random: systemRandom });
  return { key: join(folder, "secret.key"), folder, credentials, open };
}

test("openSecrets() makes a key that its owner alone can read, and finds it again", async (t) => {
  const { key, open } = stage(t);
  const first = await open();
  assert.equal(first.source, "file");
  assert.equal(statSync(key).mode & 0o777, 0o600);
  const sealed = first.box.sealText("hunter2", "x");
  assert.equal((await open()).box.openText(sealed, "x"), "hunter2");
});

test("openSecrets() refuses a key that others can read, and one that is none", async (t) => {
  const { key, open } = stage(t);
  await open();
  chmodSync(key, 0o640);
  await assert.rejects(open(), ({ code, message }: { code: string; message: string }) => {
    assert.match(message, /others can read it \(mode 0640\); chmod 600 it/);
    return code === "data/key-exposed";
  });
  chmodSync(key, 0o600);
  writeFileSync(key, "not a key\n");
  await assert.rejects(open(), { code: "data/key-exposed" });
});

// A key made anew would hide that all passwords are lost.
test("openSecrets() refuses to make a key where something was sealed by another", async (t) => {
  const { key, open } = stage(t);
  const { keyId } = (await open()).box;
  rmSync(key);
  const isNamed = ({ code, message }: { code: string; message: string }) =>
    code === "data/key-missing" && message.includes(keyId) && message.includes("secret.key");
  await assert.rejects(open(), isNamed);
  writeFileSync(key, `${"ab".repeat(32)}\n`, { mode: 0o600 });
  await assert.rejects(open(), isNamed);
});

test("openSecrets() takes the systemd credential first, and the file's key opens what it sealed before", async (t) => {
  const { key, credentials, open } = stage(t);
  const file = await open();
  const old = file.box.sealText("hunter2", "x");
  mkdirSync(credentials);
  // systemd(1) gives the service's user the right by an ACL, whose mask shows as the group's.
  writeFileSync(join(credentials, "secret.key"), `${"ab".repeat(32)}\n`, { mode: 0o440 });
  const both = await open(credentials);
  assert.equal(both.source, "systemd credential");
  assert.equal(both.box.openText(old, "x"), "hunter2");
  assert.notEqual(both.box.keyId, file.box.keyId);
  // Only once all is sealed anew may the file go.
  const kept = readFileSync(key);
  rmSync(key);
  await assert.rejects(open(credentials), { code: "data/key-missing" });
  writeFileSync(key, kept, { mode: 0o600 });
  await (await open(credentials)).onlyFirstKey();
  rmSync(key);
  assert.equal((await open(credentials)).box.keyId, both.box.keyId);
});

test("openSecrets() makes no key where the credential is, and needs it from then on", async (t) => {
  const { key, credentials, open } = stage(t);
  mkdirSync(credentials);
  writeFileSync(join(credentials, "secret.key"), "ab".repeat(32), { mode: 0o400 });
  await open(credentials);
  assert.throws(() => statSync(key), { code: "ENOENT" });
  await assert.rejects(open(), { code: "data/key-missing" });
});
