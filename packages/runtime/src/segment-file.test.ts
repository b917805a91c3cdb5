import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ReadFile } from "./files.ts";
import { frameRecord, scanRecords } from "./segment-file.ts";

function fileOf(bytes: Uint8Array): ReadFile {
  return {
    read: async (at, length) => bytes.slice(at, at + length),
    size: async () => bytes.length,
    close: async () => {},
  };
}
const join = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

async function scan(bytes: Uint8Array, chunkBytes: number, from = 0) {
  const payloads: Uint8Array[] = [];
  const each = (payload: Uint8Array) => {
    payloads.push(payload);
    return true;
  };
  const scanned = await scanRecords({ file: fileOf(bytes), from, to: bytes.length, chunkBytes, each });
  return { payloads, ...scanned };
}

test("a record is its length, its CRC-32C and its payload", () => {
  assert.deepEqual(
    join(frameRecord([Buffer.from("1234"), Buffer.from("56789")])),
    Uint8Array.of(
      ...[9, 0, 0, 0], // length 9, little-endian
      ...[0x83, 0x92, 0x06, 0xe3], // e3069283, little-endian
      ...Buffer.from("123456789"),
    ),
  );
});

const payload = fc.uint8Array({ minLength: 1, maxLength: 60 });

test("scanRecords() gives back what was framed, whatever the chunk, and cuts a tail torn at any byte", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(payload, { maxLength: 8 }),
      fc.integer({ min: 8, max: 200 }),
      fc.nat(),
      async (payloads, chunkBytes, cut) => {
        const records = payloads.map((one) => join(frameRecord([one])));
        const whole = await scan(join(records), chunkBytes);
        assert.deepEqual(whole.payloads.map(Buffer.from), payloads.map(Buffer.from));
        assert.equal(whole.damage, null);
        const bytes = join(records);
        const torn = bytes.subarray(0, cut % (bytes.length + 1));
        const kept = await scan(torn, chunkBytes);
        let end = 0;
        for (const record of records)
          if (end + record.length <= torn.length) end += record.length;
          else break;
        assert.equal(kept.end, end);
        assert.equal(kept.damage, end === torn.length ? null : "cut off");
      },
    ),
  );
});

test("scanRecords() stops at zeros, at a foreign length and at a byte turned over", async () => {
  const good = join(frameRecord([Uint8Array.of(1, 2, 3)]));
  assert.deepEqual(await scan(join([good, new Uint8Array(64)]), 1024), {
    payloads: [Uint8Array.of(1, 2, 3)],
    end: good.length,
    damage: "record length 0",
  });
  const huge = await scan(join([good, new Uint8Array(64).fill(0xff)]), 1024);
  assert.equal(huge.damage, "record length 4294967295");
  const turned = join([good, good]);
  turned[good.length + 9]! ^= 1;
  assert.equal((await scan(turned, 1024)).damage, "checksum differs");
});
