import assert from "node:assert/strict";
import { test } from "node:test";
import { readBadDevices } from "../../../examples/bad-devices/read-bad-devices.ts";
import { checkDocuments, type Document } from "./check-documents.ts";

const { plant, bad, manifests: installed } = readBadDevices();
const manifests = async () => installed;
const fromServer = async () => null;

test("checkDocuments() finds nothing wrong with a plant that is right", async () => {
  const documents = plant as unknown as Document[];
  assert.deepEqual(await checkDocuments({ documents, manifests, lookUp: fromServer, devices: async () => [] }), []);
});

for (const { about, document, field, value, rule } of bad) {
  test(`checkDocuments() refuses ${about}`, async () => {
    const others = plant.filter((one) => one.kind !== document.kind || one.metadata.name !== document.metadata.name);
    const documents = [...others, document] as unknown as Document[];
    const broken = await checkDocuments({ documents, manifests, lookUp: fromServer, devices: async () => [] });
    const fields = broken.find((one) => one.document === (document as unknown))?.fields ?? [];
    const named = fields.find((one) => one.field === field && one.rule.includes(rule));
    assert.ok(named, `${field}: ${rule}\nwas told ${JSON.stringify(fields, null, 1)}`);
    assert.equal(named.value, value);
  });
}
