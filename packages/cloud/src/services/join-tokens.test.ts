import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, test } from "node:test";
import type { NodeUid, TenantUid } from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { ref, refuses, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

const pem = () =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "pem", type: "spki" }).toString();

test("a join token works once, for its node, and again only for the same key", async () => {
  const { services } = bench;
  const made = await services.joinTokens.create(system, tenant, { node: "gw-join" });
  const publicKey = pem();
  const joined = await services.joinTokens.join({ secret: made.token, publicKey, remote: "r" });
  assert.equal(joined.node.name, "gw-join");
  assert.match(joined.certificate, /BEGIN CERTIFICATE/);
  await services.joinTokens.join({ secret: made.secret, publicKey, remote: "r" });
  await assert.rejects(
    services.joinTokens.join({ secret: made.secret, publicKey: pem(), remote: "r" }),
    refuses("join/token-invalid"),
  );
  const listed = (await services.joinTokens.list(system, tenant)).items;
  assert.equal(JSON.stringify(listed).includes(made.secret), false);
  assert.equal((await services.nodes.get(system, ref("gw-join"))).status.joined, true);
});

test("a join token gives one of two machines that ask at once a certificate", async () => {
  const { services } = bench;
  const { secret } = await services.joinTokens.create(system, tenant, { node: "gw-race" });
  const joins = await Promise.allSettled(
    [pem(), pem(), pem()].map((publicKey) => services.joinTokens.join({ secret, publicKey, remote: "z" })),
  );
  const refusals = joins.filter((one) => one.status === "rejected");
  assert.equal(refusals.length, 2);
  for (const { reason } of refusals) refuses("join/token-invalid")(reason);
});

test("a join token that expired or was revoked is worth nothing, nor is a key of another kind", async () => {
  const { services, clock } = bench;
  const late = await services.joinTokens.create(system, tenant, { node: "gw-join2", ttl: "1m" });
  const revoked = await services.joinTokens.create(system, tenant, { node: "gw-join2", ttl: "1h" });
  await services.joinTokens.remove(system, tenant, revoked.id);
  clock.move(60_001);
  for (const { secret } of [late, revoked]) {
    await assert.rejects(
      services.joinTokens.join({ secret, publicKey: pem(), remote: "x" }),
      refuses("join/token-invalid"),
    );
  }
  const good = await services.joinTokens.create(system, tenant, { node: "gw-join2" });
  const rsa = generateKeyPairSync("ed25519").publicKey.export({ format: "pem", type: "spki" }).toString();
  await assert.rejects(
    services.joinTokens.join({ secret: good.secret, publicKey: rsa, remote: "x" }),
    refuses("input/invalid", /publicKey/),
  );
  await services.joinTokens.join({ secret: good.secret, publicKey: pem(), remote: "x" });
});

test("control.authorize() refuses another tenant's node, a deleted node and a certificate replaced by a new join", async () => {
  const { services, context } = bench;
  const fingerprints = async () =>
    (await context.db.selectFrom("node_certificates").select("fingerprint").orderBy("issued_at").execute()).map(
      (row) => row.fingerprint,
    );
  const before = new Set(await fingerprints());
  const join = async () => {
    bench.clock.move(1000);
    const { secret } = await services.joinTokens.create(system, tenant, { node: "gw-auth" });
    const joined = await services.joinTokens.join({ secret, publicKey: pem(), remote: "y" });
    return { tenant: joined.tenant.uid as TenantUid, node: joined.node.uid as NodeUid };
  };
  const identity = await join();
  const ended = `disconnect ${identity.node} link/not-authorized`;
  assert.equal(bench.nudges.includes(ended), false);
  await join();
  assert.ok(bench.nudges.includes(ended), "the machine that joined before is sent away");
  bench.nudges.length = 0;
  const [old, fresh] = (await fingerprints()).filter((one) => !before.has(one));
  await services.control.authorize(identity, fresh!);
  await assert.rejects(services.control.authorize(identity, old!), refuses("link/not-authorized"));
  const other = { ...identity, tenant: "0".repeat(32) as TenantUid };
  await assert.rejects(services.control.authorize(other, fresh!), refuses("link/not-authorized"));
  await services.nodes.remove(system, ref("gw-auth"), "*");
  await assert.rejects(services.control.authorize(identity, fresh!), refuses("link/not-authorized"));
  assert.ok(bench.nudges.includes(ended));
});
