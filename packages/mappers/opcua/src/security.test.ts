import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { AppError } from "@penstock/model";
import { MessageSecurityMode, crypto_utils as pki, SecurityPolicy } from "node-opcua-client";
import { openFor, point } from "../test/open-for.ts";
import { PlantServer } from "../test/plant-server.ts";
import { policies } from "./fields.ts";

let plant: PlantServer;
let folder: string;
const signal = new AbortController().signal;
const secured = policies.filter((policy) => policy !== "None");

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "penstock-opcua-"));
  plant = await PlantServer.start({
    policies: policies.map((policy) => SecurityPolicy[policy]),
    modes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
  });
});
after(async () => {
  await plant.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Seen {
  readonly channel: { readonly securityPolicy: SecurityPolicy; readonly securityMode: MessageSecurityMode };
}

async function errorOf(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => null,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof AppError, String(error));
  return error;
}

async function shown(settings: Record<string, unknown>): Promise<unknown> {
  const { connection, close } = await openFor(plant.url, settings, { folder });
  try {
    return (await connection.read([point("uint16", "uint16")], { signal }))[0]?.value;
  } finally {
    await close();
  }
}

// First, because the others need it: nobody is believed until a person has said so.
test("an unknown server certificate is refused with its thumbprint and the command that would trust it", async () => {
  const error = await errorOf(openFor(plant.url, { policy: "Basic256Sha256" }, { folder }));
  assert.equal(error.code, "mapper/connect-failed");
  const [, thumbprint] = /penstock edge trust opcua ([0-9a-f]{40})$/.exec(error.message) ?? [];
  assert.deepEqual(await readdir(join(folder, "rejected")), [`${thumbprint}.pem`]);
  assert.deepEqual(await readdir(join(folder, "trusted")), []);
  // what the command does
  await rename(join(folder, `rejected/${thumbprint}.pem`), join(folder, `trusted/${thumbprint}.pem`));
  assert.equal(await shown({ policy: "Basic256Sha256" }), 65535);
});

for (const policy of secured) {
  test(`${policy} refuses a stranger with the command that would trust it, and shows him nothing`, async (t) => {
    const other = await mkdtemp(join(tmpdir(), "penstock-opcua-"));
    t.after(() => rm(other, { recursive: true, force: true }));
    await cp(join(folder, "own"), join(other, "own"), { recursive: true });
    const user = { user: "operator", password: "s3cret" };
    const error = await errorOf(openFor(plant.url, { policy, ...user }, { folder: other }));
    assert.equal(error.code, "mapper/connect-failed");
    assert.match(error.message, /penstock edge trust opcua [0-9a-f]{40}$/);
    assert.doesNotMatch(error.message, /s3cret/);
    assert.equal(plant.server.currentSessionCount, 0);
  });
}

test("the gateway's own key is made once, for its eyes only", async () => {
  assert.equal((await stat(join(folder, "own/key.pem"))).mode & 0o777, 0o600);
  const made = (await stat(join(folder, "own/key.pem"))).mtimeMs;
  assert.equal(await shown({ policy: "Basic256Sha256", mode: "Sign" }), 65535);
  assert.equal((await stat(join(folder, "own/key.pem"))).mtimeMs, made);
});

for (const policy of secured) {
  for (const mode of ["Sign", "SignAndEncrypt"]) {
    test(`${policy} connects with ${mode}`, async (t) => {
      const { connection, close } = await openFor(plant.url, { policy, mode }, { folder });
      t.after(close);
      assert.equal((await connection.read([point("uint16", "uint16")], { signal }))[0]?.value, 65535);
      // as the server sees the line
      const { _sessions: sessions } = plant.server.engine as unknown as { readonly _sessions: Record<string, Seen> };
      const seen = Object.values(sessions).map(({ channel }) => [channel.securityPolicy, channel.securityMode]);
      assert.deepEqual(seen, [
        [SecurityPolicy[policy], mode === "Sign" ? MessageSecurityMode.Sign : MessageSecurityMode.SignAndEncrypt],
      ]);
    });
  }
}

test("user name and password are checked by the server, and stand in no error", async () => {
  assert.equal(await shown({ policy: "Basic256Sha256", user: "operator", password: "s3cret" }), 65535);
  const error = await errorOf(
    openFor(plant.url, { policy: "Basic256Sha256", user: "operator", password: "gue55ed" }, { folder }),
  );
  assert.equal(error.code, "mapper/connect-failed");
  assert.match(error.message, /BadUserAccessDenied|BadIdentityToken/);
  assert.doesNotMatch(error.message, /gue55ed/);
});

test("a user's certificate takes the place of a name", async () => {
  const key = await pki.generatePrivateKey(2048);
  const { privPem } = await pki.privateKeyToPEM(key);
  const { cert } = await pki.createSelfSignedCertificate({
    ...{ privateKey: key, subject: "/CN=operator", purpose: pki.CertificatePurpose.ForUserAuthentication },
    ...{ notBefore: new Date(Date.now() - 86_400_000), validity: 30 },
  });
  const [userCertificate, userKey] = [join(folder, "user.pem"), join(folder, "user-key.pem")];
  await writeFile(userCertificate, cert);
  await writeFile(userKey, privPem);
  assert.equal(await shown({ policy: "Basic256Sha256", userCertificate, userKey }), 65535);
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" });
  await writeFile(userKey, other);
  const error = await errorOf(openFor(plant.url, { policy: "Basic256Sha256", userCertificate, userKey }, { folder }));
  assert.equal(error.code, "mapper/connect-failed");
  const missing = { policy: "Basic256Sha256", userCertificate: join(folder, "none.pem"), userKey };
  assert.match((await errorOf(openFor(plant.url, missing, { folder }))).message, /none\.pem/);
});

test("a policy that the server does not offer is said to be missing", async () => {
  const plain = await PlantServer.start({ policies: [SecurityPolicy.None], modes: [MessageSecurityMode.None] });
  try {
    const error = await errorOf(openFor(plain.url, { policy: "Aes256_Sha256_RsaPss" }, { folder }));
    assert.match(error.message, /offers no endpoint with policy Aes256_Sha256_RsaPss/);
  } finally {
    await plain.stop();
  }
});

test("a key that is not that of the certificate is told with its place", async () => {
  const broken = await mkdtemp(join(tmpdir(), "penstock-opcua-"));
  await mkdir(join(broken, "own"));
  await writeFile(join(broken, "own/certificate.pem"), "none");
  await writeFile(join(broken, "own/key.pem"), "none");
  await chmod(join(broken, "own/key.pem"), 0o600);
  const error = await errorOf(openFor(plant.url, {}, { folder: broken }));
  assert.equal(error.code, "mapper/connect-failed");
  assert.match(error.message, /remove both to have new ones made/);
  await rm(broken, { recursive: true, force: true });
});
