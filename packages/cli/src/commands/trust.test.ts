import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { run } from "../program.ts";

// CN=Penstock test, of no use to anybody: its key was thrown away.
const pem = `-----BEGIN CERTIFICATE-----
MIIDEzCCAfugAwIBAgIUcuZauMuBENrDH16TFFm9v5DLtr8wDQYJKoZIhvcNAQEL
BQAwGDEWMBQGA1UEAwwNUGVuc3RvY2sgdGVzdDAgFw0yNjExMjMxMzM1MDhaGA8y
MTI2MTAzMDEzMzUwOFowGDEWMBQGA1UEAwwNUGVuc3RvY2sgdGVzdDCCASIwDQYJ
KoZIhvcNAQEBBQADggEPADCCAQoCggEBAOVW8TD89L8BABpdHKTRjvgHc/OJt3Uu
91mPYpaTWRwuNkXZYH+/DDgX02YBcMRZKfPw9T5ypx8G91X6RxPUvPm7QC9FP6Qd
D7u9sqbxRDrmH8H4HG4jfkOMrdpQF1BODbmJ8MKgFCKvWmhJGm34T3PQW6NPZBQg
wyfRiCjJ0yq5K4eGFE/+9sq+jkb+vjyUi8xsEdEFSFtASTYSmccuZCWLVcCHxrxp
ncOeg828ATCMi4iZCiY6s1fnN4L9Hwja42SHfeg0nVaxDVCYYzVSwL5gB8I/e4XM
l4atcIybduVBwBNTpCCscBZh6OtVQ8YegwRIRXMU5w+pRu1/6CcCAjMCAwEAAaNT
MFEwHQYDVR0OBBYEFHLj0wqRyyMiS+WLd2Ql9y1MwoHHMB8GA1UdIwQYMBaAFHLj
0wqRyyMiS+WLd2Ql9y1MwoHHMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQEL
BQADggEBALQYl0xsCQGqSK8akyzfYka7d2Jt/eZOkiZuMR/AoVWYHibMIFX5QxUs
DnkD4l3KGLoRgU/it4CqYGH8WaMqcRuccBiMQgzHhP/OZXRyLZjGXJUEt2kizNz3
uA6/a6ApqPmya5ZRFKqth5wom6tvJ0JZqH0z2jEIKzJW9Ik73WMCHM0+gg1Z2BH8
4BAk8uBUdowM2GLx0C8D0UQyr0yWLQQNq2vEyd0oaakc/WrAdJnZGud0mjTn46nA
O623Y56qQlIsSqapZ6wB8v0pHPKp+ri+cY1HdaMg8jpKNNAK/Ns84m+sMrR5/yVO
TJBzVNltXp9WyloLGpXS/9FXOz1XK0s=
-----END CERTIFICATE-----
`;
const thumbprint = "783a211de0e5cf177b585cbe770c1a1025adc9d3";

async function setUp(t: TestContext) {
  const dataDir = await mkdtemp(join(tmpdir(), "penstock-trust-"));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const folder = join(dataDir, "mappers/opcua");
  await mkdir(join(folder, "rejected"), { recursive: true });
  const said: string[] = [];
  t.mock.method(console, "log", (text: string) => said.push(text));
  t.mock.method(console, "error", (text: string) => said.push(text));
  const trust = async (...args: string[]) => {
    said.length = 0;
    const code = await run(["edge", "trust", ...args, "--data-dir", dataDir]);
    return { code, said: said.join("\n") };
  };
  const files = async () => {
    const of = async (name: string) => (await readdir(join(folder, name)).catch(() => [])).sort();
    return { trusted: await of("trusted"), rejected: await of("rejected") };
  };
  return { folder, dataDir, trust, files };
}

test("penstock edge trust lists, trusts and revokes what a mapper has refused", async (t) => {
  const { folder, trust, files } = await setUp(t);
  assert.match((await trust("opcua")).said, /No certificate was seen yet/);
  await writeFile(join(folder, "rejected/as-a-person-named-it.pem"), pem);
  assert.match((await trust("opcua")).said, new RegExp(`^STATE .*\\nrejected +${thumbprint} +CN=Penstock test`));
  // as other products print it
  const printed = thumbprint.toUpperCase().replaceAll(/(..)(?=.)/g, "$1:");
  assert.equal((await trust("opcua", printed)).code, 0);
  assert.deepEqual(await files(), { trusted: [`${thumbprint}.pem`], rejected: [] });
  assert.equal((await trust("opcua", thumbprint)).code, 0, "twice is as once");
  const [one] = JSON.parse((await trust("opcua", "-o", "json")).said) as { state: string }[];
  assert.equal(one?.state, "trusted");
  assert.equal((await trust("opcua", thumbprint, "--revoke")).code, 0);
  assert.deepEqual(await files(), { trusted: [], rejected: [`${thumbprint}.pem`] });
});

test("penstock edge trust --file trusts a certificate that nobody has shown yet", async (t) => {
  const { folder, dataDir, trust, files } = await setUp(t);
  const path = join(dataDir, "server.pem");
  await writeFile(path, pem);
  assert.equal((await trust("opcua", "--file", path)).code, 0);
  assert.deepEqual((await files()).trusted, [`${thumbprint}.pem`]);
  assert.equal((await readFile(join(folder, `trusted/${thumbprint}.pem`), "utf8")).trim(), pem.trim());
  assert.equal((await stat(join(folder, `trusted/${thumbprint}.pem`))).mode & 0o777, 0o600);
});

test("penstock edge trust refuses what it cannot find or read, and changes nothing", async (t) => {
  const { dataDir, trust, files } = await setUp(t);
  const path = join(dataDir, "none.pem");
  await writeFile(path, "none");
  for (const [args, text] of [
    [["opcua", thumbprint], /it has not been rejected/],
    [["opcua", "123"], /must be 40 hex digits/],
    [["../..", thumbprint], /must be the name of a mapper/],
    [["opcua", "--revoke"], /must be given with --revoke/],
    [["opcua", "--file", path], /must be a certificate/],
  ] as const) {
    const { code, said } = await trust(...args);
    assert.notEqual(code, 0);
    assert.match(said, text);
  }
  assert.deepEqual(await files(), { trusted: [], rejected: [] });
});
