// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns that are asked by
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuleLookupSpec } from "@penstock/model";
import { needs } from "@penstock/testkit";
import { createClient } from "@redis/client";
import { redisServer } from "../sinks/redis/fake-redis.ts";
import { RedisLookup } from "./redis-lookup.ts";

const never = new AbortController().signal;

test("values, lists and hashes of Redis are rows; others' are left out", needs("redis-server"), async () => {
  const server = await redisServer();
  const url = `redis://127.0.0.1:${server.port}`;
  const asker = await createClient({ url }).connect();
  const opened: RedisLookup[] = [];
  const lookup = (more: Partial<NonNullable<RuleLookupSpec["redis"]>>) => {
    const one = new RedisLookup({ url, ...more });
    opened.push(one);
    return one;
  };
  try {
    await asker.set("5", '{"name": "five"}');
    await asker.set("b:6", '[{"id": 6, "name": "six"}, {"id": 7, "name": "not six"}, {"name": "nameless"}]');
    await asker.set("bad", "{");
    await asker.rPush("l", ['{"n": 1}', '{"n": 2}']);
    await asker.hSet("h:x y", { id: "x y", n: "2" });
    const asked = (ids: readonly unknown[]) => ids.map((id) => ({ id }) as never);
    assert.deepEqual(await lookup({}).ask(asked([5n, 6, "bad", "l"]), never), [
      [{ name: "five" }],
      [],
      { failure: 'the value of "bad" is no row as JSON' },
      [],
    ]);
    assert.deepEqual(await lookup({ key: "b:${id}" }).ask(asked([6n]), never), [
      [{ id: 6, name: "six" }, { name: "nameless" }],
    ]);
    const [rows, wrong] = await lookup({ as: "list" }).ask(asked(["l", "5"]), never);
    assert.deepEqual(rows, [{ n: 1 }, { n: 2 }]);
    assert.match((wrong as { failure: string }).failure, /WRONGTYPE/);
    assert.deepEqual(await lookup({ as: "hash", key: "h:${id}" }).ask(asked(["x y", "z"]), never), [
      [{ id: "x y", n: "2" }],
      [],
    ]);
    assert.deepEqual(await lookup({}).ask([{ a: 1n, b: 2n }], never), [
      { failure: "it is asked by more than one column: state its key" },
    ]);
    await asker.set("many", JSON.stringify(Array.from({ length: 1001 }, (_, n) => ({ n }))));
    assert.deepEqual(await lookup({}).ask(asked(["many"]), never), [
      { failure: "more than 1000 rows have these values" },
    ]);
  } finally {
    asker.destroy();
    for (const one of opened) await one.close();
    await server.close();
  }
});

test("a Redis server that is gone is an error, and asked anew when it is back", needs("redis-server"), async () => {
  const first = await redisServer();
  const lookup = new RedisLookup({ url: `redis://127.0.0.1:${first.port}` });
  try {
    assert.deepEqual(await lookup.ask([{ id: 1n }], never), [[]]);
    await first.close();
    await assert.rejects(lookup.ask([{ id: 1n }], never), { code: "rules/sink-unreachable" });
    const again = await redisServer(first.port);
    assert.deepEqual(await lookup.ask([{ id: 1n }], never), [[]]);
    const abort = new AbortController();
    abort.abort();
    await assert.rejects(lookup.ask([{ id: 1n }], abort.signal), { code: "rules/sink-unreachable" });
    await again.close();
  } finally {
    await lookup.close();
  }
});
