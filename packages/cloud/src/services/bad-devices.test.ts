import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AppError } from "@penstock/model";
import { readBadDevices } from "../../../../examples/bad-devices/read-bad-devices.ts";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { ref } from "./test/test-plant.ts";

const { plant, bad, manifests } = readBadDevices();
const serviceOf = { Node: "nodes", Connection: "connections", DeviceModel: "deviceModels", Device: "devices" } as const;
let bench: TestBench;

before(async () => {
  bench = await testBench({ manifests });
  for (const { kind, ...document } of plant) {
    await bench.services[serviceOf[kind]].create(system, ref(document.metadata.name), document);
  }
});
after(() => bench.close());

test("the table of bad devices covers what can be wrong", () => {
  assert.ok(bad.length >= 60, `${bad.length} rows`);
});

// The reference system accepts almost anything; here each row is told field, value and rule, and nothing is changed.
for (const { about, document, field, value, rule } of bad) {
  test(`services refuse ${about}`, async () => {
    const service = bench.services[serviceOf[document.kind]];
    const { name } = document.metadata;
    const isThere = plant.some((one) => one.kind === document.kind && one.metadata.name === name);
    const before = isThere ? await service.get(system, ref(name)) : null;
    const change = { replace: document, ifMatch: "*" };
    const sent = isThere ? service.update(system, ref(name), change) : service.create(system, ref(name), document);
    await assert.rejects(sent as Promise<unknown>, (error) => {
      assert.ok(error instanceof AppError, String(error));
      const named = error.fields.find((one) => one.field === field && one.rule.includes(rule));
      assert.ok(named, `${field}: ${rule}\nwas told ${JSON.stringify(error.fields, null, 1)}`);
      assert.equal(named.value, value);
      return true;
    });
    if (isThere) assert.deepEqual(await service.get(system, ref(name)), before);
  });
}
