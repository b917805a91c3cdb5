import assert from "node:assert/strict";
import { after, test } from "node:test";
import { TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

// Each alone would be refused: its new place is the other's old one.
test("a file in which two devices trade places is applied as one change, by unit id and by offset", async () => {
  const cloud = await bench.startCloud();
  const params = { tenant: "default", name: "gw-01" };
  await cloud.client.nodes.put({ params, body: { metadata: { name: "gw-01" }, spec: {} }, create: true });
  const connection = {
    ...{ apiVersion: "penstock.dev/v1", kind: "Connection", metadata: { name: "bus" } },
    spec: { node: "gw-01", protocol: "modbus", settings: { host: "127.0.0.1", port: 1502 } },
  };
  const device = (name: string, unitId: number, offset: number, node = "gw-01") => ({
    ...{ apiVersion: "penstock.dev/v1", kind: "Device", metadata: { name } },
    spec: {
      ...{ node, connection: "bus", address: { unitId } },
      properties: { p: { type: "uint16", visitor: { table: "holding", offset, raw: "uint16" } } },
    },
  });
  const apply = (documents: readonly object[], ...more: readonly string[]) =>
    bench.run(["apply", "-f", "-", ...more], { input: documents.map((one) => JSON.stringify(one)).join("\n---\n") });
  const placeOf = async (name: string) => {
    const { spec } = await cloud.client.devices.get({ params: { tenant: "default", name } });
    return [spec.address?.unitId, spec.properties?.p?.visitor?.offset];
  };

  // The line comes in the same file, after what needs it.
  const made = await apply([device("a", 1, 0), device("b", 2, 0), device("c", 3, 0), device("d", 3, 1), connection]);
  assert.equal(made.code, 0, made.stderr);
  assert.equal(made.stdout, `Connection "bus" created\n${"abcd".replaceAll(/./g, 'Device "$&" created\n')}`);

  const alone = await apply([device("a", 2, 0)]);
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /^Error: Cannot apply Device "a"/);

  const swap = [device("a", 2, 0), device("b", 1, 0), device("c", 3, 1), device("d", 3, 0)];
  const tried = await apply(swap, "--dry-run");
  assert.equal(tried.code, 0, tried.stderr);
  assert.deepEqual(await placeOf("a"), [1, 0]);
  const swapped = await apply(swap);
  assert.equal(swapped.code, 0, swapped.stderr);
  assert.deepEqual(
    [await placeOf("a"), await placeOf("b"), await placeOf("c"), await placeOf("d")],
    [
      [2, 0],
      [1, 0],
      [3, 1],
      [3, 0],
    ],
  );
  const again = await apply(swap);
  assert.equal(again.stdout, "abcd".replaceAll(/./g, 'Device "$&" unchanged\n'));

  // One that is wrong takes the others with it, and every wrong one is named.
  const broken = await apply([device("a", 1, 0), device("b", 1, 0), device("c", 3, 7, "nowhere")]);
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /Cannot apply 3 documents/);
  assert.match(broken.stderr, /^ {2}Device "c" spec\.node: "nowhere": there is no Node of that name/m);
  assert.deepEqual(await placeOf("a"), [2, 0]);

  const [newest] = (await cloud.client.changes.list({ params: { tenant: "default" } })).items;
  assert.equal(newest!.resources, 4);
  const undone = await bench.run(["undo", String(newest!.change)]);
  assert.equal(undone.code, 0, undone.stderr);
  assert.deepEqual(await placeOf("a"), [1, 0]);
});
