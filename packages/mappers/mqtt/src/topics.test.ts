import assert from "node:assert/strict";
import { test } from "node:test";
import { Payload, type PointResult } from "@penstock/mapper-sdk";
import fc from "fast-check";
import { pointOf } from "../test/open-for.ts";
import { wordOf } from "./device-words.ts";
import { PacketMeter } from "./packet-meter.ts";
import { TopicNews } from "./topic-news.ts";
import { TopicTree } from "./topic-tree.ts";

/** The rule as the standard writes it, level by level. */
function matches(filter: string, topic: string): boolean {
  const [wanted, given] = [filter.split("/"), topic.split("/")];
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  for (const [i, level] of wanted.entries()) {
    if (level === "#") return given.length >= i;
    if (given[i] === undefined || (level !== "+" && level !== given[i])) return false;
  }
  return wanted.length === given.length;
}

test("TopicTree finds exactly the filters that match, and forgets those removed", () => {
  const level = fc.constantFrom("a", "b", "", "$SYS");
  const filter = fc
    .tuple(fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, isOpen]) => [...levels, ...(isOpen ? ["#"] : [])].join("/"));
  const topic = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/"));
  fc.assert(
    fc.property(fc.uniqueArray(filter), fc.array(topic), fc.nat(), (filters, topics, cut) => {
      const tree = new TopicTree<string>();
      for (const one of filters) tree.add(one, one);
      const kept = filters.slice(0, cut % (filters.length + 1));
      for (const one of filters.slice(kept.length)) tree.remove(one, one);
      for (const one of topics) {
        assert.deepEqual(tree.match(one).sort(), kept.filter((f) => matches(f, one)).sort(), one);
      }
    }),
  );
});

test("PacketMeter counts packets whatever pieces they come in, and stops at the first that is too long", () => {
  const packet = (length: number) => {
    const size: number[] = [];
    for (let rest = length; ; rest = Math.floor(rest / 128)) {
      size.push(rest >= 128 ? (rest % 128) + 128 : rest);
      if (rest < 128) break;
    }
    return Buffer.concat([Buffer.from([0x30, ...size]), Buffer.alloc(length, 0xff)]);
  };
  fc.assert(
    fc.property(fc.array(fc.nat(400)), fc.integer({ min: 1, max: 50 }), (lengths, step) => {
      const meter = new PacketMeter(300);
      const bytes = Buffer.concat(lengths.map(packet));
      let isGood = true;
      for (let at = 0; at < bytes.length && isGood; at += step) isGood = meter.take(bytes.subarray(at, at + step));
      assert.equal(
        isGood,
        lengths.every((length) => length <= 300),
      );
    }),
  );
  assert.equal(
    new PacketMeter(2 ** 30).take(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff)),
    false,
    "no length has five bytes",
  );
});

test("TopicNews passes over what the broker sends again, and keeps order", () => {
  let read = 0;
  const news = new TopicNews((bytes) => {
    read++;
    return new Payload(bytes);
  });
  const cells = ["a/+", "a/x", "#"].map((topic) => news.cell(wordOf(pointOf("p", "int32", { topic }))));
  const told: (PointResult["value"] | undefined)[][] = cells.map(() => []);
  for (const [i, cell] of cells.entries()) cell.wants.add(({ value }) => void told[i]!.push(value));
  const say = (text: string, isAgain = false) =>
    news.take({ topic: "a/x", payload: new TextEncoder().encode(text), isRetained: false, isAgain });
  say("1");
  say("1", true);
  say("1");
  say("2", true);
  assert.deepEqual(told, [
    [1, 1, 2],
    [1, 1, 2],
    [1, 1, 2],
  ]);
  assert.equal(read, 4, "a message is read once, however many want it");
  assert.equal(news.take({ topic: "$SYS/x", payload: new Uint8Array(), isRetained: false, isAgain: false }), false);
});
