import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer, ObjectValue } from "@penstock/rules";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, settle } from "@penstock/testkit";
import { refused, unreachable } from "../sinks/delivery/peer-error.ts";
import { LookupDesk } from "./lookup-desk.ts";
import type { LookupPeer } from "./lookup-peer.ts";

type Mood = "answers" | "away" | "stalls" | "refuses";

/** A desk before a peer that has no more than a mood. */
function desk(most = 3) {
  const clock = new SimClock();
  const metrics = metricsRegistry();
  const out: string[] = [];
  const asked: number[][] = [];
  const state = { mood: "answers" as Mood, isClosed: false, hear: (_: readonly Answer[]) => {} };
  const peer: LookupPeer = {
    ...{ name: "peer", most },
    async ask(questions: readonly ObjectValue[], signal) {
      asked.push(questions.map(({ id }) => id as number));
      if (state.mood === "away") throw unreachable("reach peer", "nobody there");
      if (state.mood === "refuses") throw refused("ask", "no such table");
      if (state.mood === "stalls")
        await new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
      return questions.map((question) => (question.id === 9 ? { failure: "bad" } : [question]));
    },
    close: async () => {
      state.isClosed = true;
    },
  };
  const one = new LookupDesk({
    ...{ peer, clock, metrics, log: silentLog, rule: "r", table: "t", timeoutMs: 5000 },
    answer: (answers) => {
      out.push(answers.map((of) => `${of.key}=${"failure" in of ? of.failure : of.rows.length}`).join(" "));
      state.hear(answers);
    },
  });
  return {
    ...{ desk: one, clock, out, asked, state },
    ask: (...ids: number[]) => {
      for (const id of ids) one.ask({ table: "t", keys: { id }, key: String(id) });
    },
    /** Time passes, in steps in which others have their turns. */
    async pass(ms: number) {
      for (let left = ms; left >= 0; left -= 100) {
        await clock.advanceAsync(Math.min(left, 100));
        await settle();
      }
    },
    counted: (what: string) => metrics.totals()[`penstock_rules_lookup_${what}_total`] ?? 0,
  };
}

test("questions of one turn go together, each once, no more than the peer takes at once", async () => {
  const { ask, asked, out, pass, counted } = desk();
  ask(1, 2, 1, 9, 4);
  assert.deepEqual(out, [], "nobody is answered while he asks");
  await pass(10);
  assert.deepEqual(asked, [[1, 2, 9], [4]]);
  assert.deepEqual(out, ["1=1 2=1 9=bad", "4=1"]);
  assert.deepEqual([counted("questions"), counted("failures")], [4, 1]);
});

// With answers that are true for those alone that asked, the next row asks the same at once.
test("who gets an answer may ask the same again", async () => {
  const { ask, asked, pass, state } = desk();
  state.hear = () => {
    state.hear = () => {};
    ask(1);
  };
  ask(1);
  await pass(10);
  assert.deepEqual(asked, [[1], [1]]);
});

test("a peer that is away is tried again with growing pauses; a question ends when its time is over", async () => {
  const { ask, asked, out, pass, state } = desk();
  state.mood = "away";
  ask(1);
  await pass(3000);
  assert.deepEqual(out, []);
  assert.equal(asked.length, 5, "after 0.1, 0.2, 0.4, 0.8 and 1.6 s");
  ask(2);
  await pass(2000);
  assert.match(out.join(), /^1=Cannot reach peer: nobody there$/);
  state.mood = "answers";
  await pass(3000);
  assert.deepEqual(out.slice(1), ["2=1"]);
});

test("away for longer than a question may take, questions fail at once, and are tried now and then", async () => {
  const { ask, out, pass, state, asked } = desk();
  state.mood = "away";
  ask(1);
  await pass(6000);
  out.length = 0;
  const tries = asked.length;
  for (let n = 10; n < 60; n++) {
    ask(n);
    await pass(100);
  }
  assert.ok(out.length >= 45, `${out.length} have ended`);
  assert.ok(asked.length - tries <= 3, `${asked.length - tries} tries in 5 s`);
  state.mood = "answers";
  await pass(5000);
  out.length = 0;
  ask(70);
  await pass(100);
  assert.deepEqual(out, ["70=1"]);
});

test("a peer that stalls is given up when the time of its questions is over, and those behind have theirs", async () => {
  const { ask, out, pass, state } = desk(1);
  state.mood = "stalls";
  ask(1);
  await pass(1000);
  ask(2);
  await pass(3900);
  assert.deepEqual(out, []);
  await pass(200);
  assert.deepEqual(out, ["1=no answer in 5000 ms"]);
  state.mood = "answers";
  await pass(5000);
  assert.equal(out.length, 2);
  assert.match(out[1]!, /^2=/);
});

test("what a peer refuses is not asked again", async () => {
  const { ask, asked, out, pass, state } = desk();
  state.mood = "refuses";
  ask(1, 2);
  await pass(1000);
  assert.deepEqual(out, ["1=Cannot ask: no such table 2=Cannot ask: no such table"]);
  assert.equal(asked.length, 1);
});

test("more questions than may wait: the oldest fail", async () => {
  const { ask, out, pass, state } = desk(1);
  state.mood = "stalls";
  ask(0);
  await pass(10);
  for (let n = 1; n <= 10_002; n++) ask(n);
  await pass(10);
  assert.deepEqual(out, ["1=more than 10000 questions wait 2=more than 10000 questions wait"]);
});

test("close() ends what is under way and tells nobody", async () => {
  const { desk: one, ask, out, pass, state } = desk();
  state.mood = "stalls";
  ask(1);
  await pass(10);
  ask(2);
  await one.close();
  await pass(10_000);
  assert.deepEqual(out, []);
  assert.equal(state.isClosed, true);
});
