import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, codeOf } from "@penstock/model";
import type { Answer } from "./line.ts";
import { QuestionQueue } from "./question-queue.ts";

const signal = new AbortController().signal;
const read = (unit: number, address: number) => ({
  ...{ unit, timeoutMs: 1000, signal },
  pdu: Uint8Array.of(3, 0, address, 0, 1),
});
const write = (unit: number, address: number) => ({
  ...{ unit, timeoutMs: 1000, signal },
  pdu: Uint8Array.of(6, 0, address, 0, 1),
});
const timeout = () => new AppError("mapper/timeout", "Cannot ask: no answer");

function stage() {
  const queue = new QuestionQueue();
  const outcomes: string[] = [];
  const add = (question: ReturnType<typeof read>, name: string) =>
    queue.add(question, {
      resolve: (_answer: Answer) => outcomes.push(`${name} answered`),
      reject: (error) => outcomes.push(`${name} ${codeOf(error)}`),
    });
  const order = () => {
    const names: string[] = [];
    for (let next = queue.next(); next !== undefined; next = queue.next()) {
      names.push(`${next.pdu[0] === 3 ? "r" : "w"}${next.pdu[2]}`);
    }
    return names.join(" ");
  };
  return { queue, outcomes, add, order };
}

test("writes go before reads that wait, four in a row at most, each kind in order", () => {
  const { add, order } = stage();
  for (let i = 0; i < 3; i++) add(read(1, i), "read");
  for (let i = 0; i < 10; i++) add(write(1, i), "write");
  assert.equal(order(), "w0 w1 w2 w3 r0 w4 w5 w6 w7 r1 w8 w9 r2");
});

test("a question without an answer goes to the end of the queue, as often as retries say", () => {
  const { queue, outcomes, add } = stage();
  queue.retries = 2;
  add(read(1, 0), "a");
  add(read(2, 0), "b");
  const a = queue.next()!;
  queue.failed(a, timeout());
  assert.equal(queue.next()!.unit, 2);
  assert.equal(queue.next(), a);
  queue.failed(a, timeout());
  queue.failed(queue.next()!, timeout());
  assert.deepEqual(outcomes, ["a mapper/timeout"]);
});

test("what is silent to the last costs one time-out: its reads end with it, and it is asked once until it answers", () => {
  const { queue, outcomes, add } = stage();
  queue.retries = 1;
  for (const name of ["a", "b", "c"]) add(read(1, 0), name);
  add(write(1, 0), "w");
  add(read(2, 0), "other");
  queue.next()!.resolve({ pdu: new Uint8Array(0), monotonic: 0 }); // the write
  const a = queue.next()!;
  a.failures = 1;
  queue.failed(a, timeout());
  assert.deepEqual(outcomes, ["w answered", "a mapper/timeout", "b mapper/timeout", "c mapper/timeout"]);
  assert.equal(queue.next()!.unit, 2);
  add(read(1, 0), "d");
  queue.failed(queue.next()!, timeout());
  assert.equal(outcomes.at(-1), "d mapper/timeout", "no retry of a unit that was silent before");
  add(read(1, 0), "e");
  queue.answered(queue.next()!, { pdu: new Uint8Array(0), monotonic: 5 });
  add(read(1, 0), "f");
  queue.failed(queue.next()!, timeout());
  assert.equal(outcomes.at(-1), "e answered", "it has answered, so f is tried again");
});

test("a unit that answers others while one question takes long is not silent", () => {
  const { queue, outcomes, add } = stage();
  add(read(1, 0), "slow");
  add(read(1, 1), "quick");
  add(read(1, 2), "waits");
  const slow = queue.next()!;
  slow.sentAt = 10;
  queue.answered(queue.next()!, { pdu: new Uint8Array(0), monotonic: 20 });
  queue.failed(slow, timeout());
  assert.deepEqual(outcomes, ["quick answered", "slow mapper/timeout"]);
});

test("a full queue refuses, and what was called off is not asked", () => {
  const { queue, outcomes, add } = stage();
  const abort = new AbortController();
  add({ ...read(1, 0), signal: abort.signal }, "gone");
  for (let i = 1; i < 4096; i++) assert.ok(add(read(1, 0), "many"));
  assert.equal(add(write(1, 0), "one more"), false);
  abort.abort();
  assert.equal(queue.next()!.unit, 1);
  assert.deepEqual(outcomes, ["gone aborted"]);
});
