// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { test } from "node:test";
import { needs } from "@penstock/testkit";
import { createClient } from "@redis/client";
import { outputOf, takeAll, testParts } from "../delivery/delivery-fixture.ts";
import { redisServer } from "./fake-redis.ts";
import { openRedis } from "./redis-sink.ts";

test("rows become keys, lists, hashes and streams, and messages of a channel", needs("redis-server"), async () => {
  const server = await redisServer();
  const url = `redis://127.0.0.1:${server.port}`;
  const asker = createClient({ url });
  const listener = createClient({ url });
  const heard: string[] = [];
  const { parts, counted } = testParts();
  const base = { url, key: "v:${device}" };
  const sinks = (["string", "list", "hash", "stream"] as const).map((as) =>
    openRedis({ ...base, key: `${as}:\${device}`, as, expire: "1h" }, parts),
  );
  const channel = openRedis({ ...base, as: "publish", template: "${n}" }, parts);
  try {
    await Promise.all([asker.connect(), listener.connect()]);
    await listener.subscribe("v:a", (message) => heard.push(message));
    const output = outputOf({ device: "a", n: 9_007_199_254_740_993n }, { device: "a", n: 2n });
    for (const sink of [...sinks, channel]) await sink.take(output);
    const [, second] = ['{"device":"a","n":9007199254740993}', '{"device":"a","n":2}'];
    assert.equal(await asker.get("string:a"), second);
    assert.deepEqual(await asker.lRange("list:a", 0, -1), ['{"device":"a","n":9007199254740993}', second]);
    assert.deepEqual({ ...(await asker.hGetAll("hash:a")) }, { device: "a", n: "2" });
    const entries = await asker.xRange("stream:a", "-", "+");
    assert.deepEqual({ ...entries![0]!.message }, { device: "a", n: "9007199254740993" });
    assert.deepEqual(heard, ["9007199254740993", "2"]);
    assert.ok((await asker.ttl("list:a")) > 3_500);
    // A key of another kind will always be one.
    await asker.set("list:b", "text");
    await sinks[1]!.take(outputOf({ device: "b", n: 1 }, { device: "c", n: 1 }));
    assert.deepEqual([counted("given_up_rows"), await asker.lLen("list:c")], [1, 1]);
  } finally {
    asker.destroy();
    listener.destroy();
    for (const sink of [...sinks, channel]) await sink.close();
    await server.close();
  }
});

test("what a Redis server that is gone was to get, it gets when it is back", needs("redis-server"), async () => {
  const first = await redisServer();
  const { parts, counted } = testParts();
  const url = `redis://127.0.0.1:${first.port}`;
  const sink = openRedis({ url, key: "all", as: "list", cache: {}, retry: { first: "10ms", longest: "50ms" } }, parts);
  try {
    await sink.take(outputOf({ n: 1 }));
    await first.close();
    await takeAll(sink, [outputOf({ n: 2 }), outputOf({ n: 3 })]);
    assert.ok(counted("cached_rows") >= 2, "they wait on disk");
    const again = await redisServer(first.port);
    try {
      const asker = await createClient({ url }).connect();
      while ((await asker.lLen("all")) < 2) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(await asker.lRange("all", 0, -1), ['{"n":2}', '{"n":3}']);
      asker.destroy();
    } finally {
      await sink.close();
      await again.close();
    }
  } finally {
    await sink.close().catch(() => {});
  }
});
