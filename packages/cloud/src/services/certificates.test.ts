import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { after, before, test } from "node:test";
import type { NodeUid, TenantUid } from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { refuses, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

test("control.renew() gives a certificate from two thirds of the present one's life on, and again when its answer was lost", async () => {
  const { services, clock } = bench;
  const publicKey = generateKeyPairSync("ec", { namedCurve: "P-256" })
    .publicKey.export({ type: "spki", format: "pem" })
    .toString();
  const { secret } = await services.joinTokens.create(system, tenant, { node: "gw-renew" });
  const joined = await services.joinTokens.join({ secret, publicKey, remote: "x" });
  const identity = { tenant: joined.tenant.uid as TenantUid, node: joined.node.uid as NodeUid };
  const der = new Uint8Array(createPublicKey(publicKey).export({ type: "spki", format: "der" }));
  const printOf = (pem: string) => new X509Certificate(pem).fingerprint256;
  const first = printOf(joined.certificate);
  await assert.rejects(services.control.renew(identity, der, first), refuses("request/too-many"));
  clock.move(19 * 86_400_000);
  await assert.rejects(services.control.renew(identity, der, first), refuses("request/too-many"));
  clock.move(86_400_000);
  const { certificatePem } = await services.control.renew(identity, der, first);
  await services.control.renew(identity, der, first);
  await assert.rejects(services.control.renew(identity, der, printOf(certificatePem)), refuses("request/too-many"));
  await assert.rejects(services.control.renew(identity, der, "0".repeat(64)), refuses("link/not-authorized"));
});
