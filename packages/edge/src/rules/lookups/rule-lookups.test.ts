// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns that are asked by
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { EffectiveRule } from "@penstock/model";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, SimRandom, simDisk } from "@penstock/testkit";
import { keptFeed } from "../kept-feed.ts";
import { rule, site } from "../rules-fixture.ts";

/** A server that knows of every id how often it was asked: `n` tells whether anybody asked again. */
async function server() {
  const state = { mood: "answers" as "answers" | "stalls" | "fails", asked: 0 };
  const http = createServer(({ url }, response) => {
    state.asked++;
    if (state.mood === "fails") response.writeHead(503).end();
    if (state.mood !== "answers") return;
    const id = Number(url!.slice(1));
    if (id === 4) response.writeHead(404).end();
    else response.end(JSON.stringify({ id, n: state.asked }));
  });
  await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
  const close = () => {
    http.closeAllConnections();
    return new Promise<void>((done) => http.close(() => done()));
  };
  return { state, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/\${id}`, close };
}

const joined = (name: string, url: string, more: { ttl?: string; sql?: string } & Partial<EffectiveRule> = {}) => {
  const {
    ttl = "1m",
    sql = "SELECT t.count AS id, l.n AS n FROM `tank-01` AS t LEFT JOIN looked AS l ON t.count = l.id",
    ...rest
  } = more;
  return rule(name, sql.replace("looked", "`looked`"), {
    actions: [{ memory: { stream: "out" } }],
    sources: { looked: { lookup: { http: { url }, ttl, timeout: "2s" } } },
    ...rest,
  });
};

/** A gateway whose processes come and go, on one disk and with one clock. */
async function gateway(rules: readonly EffectiveRule[]) {
  const disk = simDisk({ random: new SimRandom(1) });
  const clock = new SimClock();
  let process = { isAlive: true };
  /** results by rule, number and row: the same again after a kill */
  const given = new Map<string, string>();
  const clashes: string[] = [];
  let all: ReturnType<typeof site>;
  const turns = async (count = 30) => {
    for (let n = 0; n < count; n++) {
      await clock.advanceAsync(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const note = (key: string, row: string) => {
    const before = given.get(key) ?? row;
    if (before !== row) clashes.push(`${key}: ${before}, then ${row}`);
    given.set(key, row);
  };
  return {
    ...{ clock, given, clashes, turns },
    /** The process before is dead: what it has in hand comes to nothing. */
    async begin() {
      disk.kill();
      process.isAlive = false;
      const mine = { isAlive: true };
      process = mine;
      const feed = await keptFeed({
        ...{ files: disk.files, folder: "/data/rules/state", clock, log: silentLog, metrics: metricsRegistry() },
        checkpointEveryMs: 1000,
      });
      all = site({
        clock,
        feed: {
          ...feed,
          reads: (input) => ("stream" in input && input.stream === "out") || feed.reads(input),
          take(input) {
            if (!mine.isAlive) return;
            if (input.t === "batch" || input.from === null) return feed.take(input);
            const { rule: of, number, row } = input.from;
            const text = JSON.stringify(
              input.content,
              (_, one) => (typeof one === "bigint" ? Number(one) : one) as unknown,
            );
            note(`${of} ${number} ${row}`, text);
          },
        },
      });
      all.apply(rules);
      await feed.replay();
      await turns();
    },
    come: (count: number) => all.come({ count }, "tank-01", clock.now()),
    status: (name: string) => all.statusOf(name),
    metric: (name: string) => all.metrics.totals()[name] ?? 0,
    get rows() {
      return [...given.values()].map((text) => JSON.parse(text) as { readonly id: number; readonly n: number | null });
    },
    async until(what: string, is: () => boolean) {
      for (let n = 0; n < 2000; n++) {
        if (is()) return;
        await turns(1);
      }
      assert.fail(`never: ${what}`);
    },
  };
}

test("rows are joined with what a server answers, once for each value, and with nothing where it has none", async () => {
  const { state, url, close } = await server();
  const all = await gateway([joined("r", url)]);
  try {
    await all.begin();
    for (const id of [1, 2, 4, 1]) await all.come(id);
    await all.until("four results", () => all.rows.length === 4);
    const { rows } = all;
    assert.deepEqual(
      rows.map(({ id }) => id),
      [1, 2, 4, 1],
    );
    assert.equal(state.asked, 3);
    assert.equal(rows[2]!.n, null);
    assert.equal(rows[0]!.n, rows[3]!.n);
    assert.equal(all.status("r").rowsIn, 4, "answers are no rows of it");
    assert.equal(all.metric("penstock_rules_lookup_questions_total"), 3);
  } finally {
    await close();
  }
});

test("a server that does not answer in time is an error of the rule, and rows go on without it", async () => {
  const { state, url, close } = await server();
  const all = await gateway([joined("r", url)]);
  try {
    await all.begin();
    state.mood = "stalls";
    await all.come(1);
    await all.until("the question", () => state.asked === 1);
    assert.equal(all.rows.length, 0);
    await all.clock.advanceAsync(2000);
    await all.until("a result", () => all.rows.length === 1);
    assert.deepEqual(all.rows, [{ id: 1, n: null }]);
    const { errors, lastError, state: is } = all.status("r");
    assert.deepEqual([errors, is], [1, "running"]);
    assert.match(lastError!, /Cannot look up in "looked": no answer in 2000 ms/);
    assert.equal(all.metric("penstock_rules_lookup_failures_total"), 1);
    state.mood = "answers";
    await all.clock.advanceAsync(1000);
    await all.come(2);
    await all.until("an answer", () => all.rows.length === 2);
    assert.equal(all.rows[1]!.id, 2);
  } finally {
    await close();
  }
});

// A table brings no rows, so that no time of its own holds up the others.
test("by event time, too, rows go on as they come, and windows close by their times alone", async () => {
  const { state, url, close } = await server();
  const eventTime = { lateToleranceMs: 0, idleAfterMs: 3_600_000 };
  const window = `SELECT count(*) AS id, collect(l.n) AS n FROM \`tank-01\` AS t LEFT JOIN looked AS l ON t.count = l.id GROUP BY TUMBLINGWINDOW(ss, 1)`;
  const all = await gateway([joined("row", url, { eventTime }), joined("window", url, { eventTime, sql: window })]);
  try {
    await all.begin();
    for (const id of [1, 2]) {
      await all.come(id);
      await all.clock.advanceAsync(1000);
    }
    await all.until("both rows and a window", () => all.rows.length === 3);
    assert.deepEqual(all.rows.map(({ id }) => id).sort(), [1, 1, 2]);
    assert.ok(state.asked >= 2);
  } finally {
    await close();
  }
});

test("what a rule asked before it was killed is asked again, and what was answered is not", async () => {
  const { state, url, close } = await server();
  const all = await gateway([joined("r", url)]);
  try {
    await all.begin();
    await all.come(1);
    await all.until("a result", () => all.rows.length === 1);
    state.mood = "stalls";
    await all.come(2);
    await all.come(1);
    await all.until("the question", () => state.asked === 2);
    await all.turns(100);
    state.mood = "answers";
    await all.begin();
    await all.until("the rest", () => all.rows.length >= 3);
    assert.equal(state.asked, 3, "nobody asks for 1 again");
    const [first, ...rest] = all.rows;
    assert.deepEqual(rest, [{ id: 2, n: 3 }, first]);
    assert.deepEqual(all.clashes, []);
  } finally {
    await close();
  }
});

// The same number with another content would be two results where there was one.
test("killed at any time, rules with lookups give again what they gave, number by number, and leave none out", async () => {
  const { state, url, close } = await server();
  const window =
    "SELECT count(*) AS c, collect(l.n) AS n, collect(t.count) AS id FROM `tank-01` AS t LEFT JOIN looked AS l ON t.count = l.id GROUP BY COUNTWINDOW(3, 2)";
  const all = await gateway([
    joined("row", url, { ttl: "300ms" }),
    joined("window", url, { ttl: "10ms", sql: window }),
  ]);
  const random = new SimRandom(7);
  try {
    await all.begin();
    let came = 0;
    for (let life = 0; life < 8; life++) {
      for (let n = 0; n < 12; n++) {
        state.mood = random.pick(["answers", "answers", "answers", "fails"]);
        came++;
        await all.come(random.between(0, 5));
        await all.turns(random.between(0, 12));
        await all.clock.advanceAsync(random.pick([0, 10, 120, 700]));
      }
      state.mood = "answers";
      await all.begin();
    }
    for (let n = 0; n < 20; n++) {
      await all.clock.advanceAsync(500);
      await all.turns(20);
    }
    assert.deepEqual(all.clashes, []);
    const numbers = (of: string) =>
      [...all.given.keys()].flatMap((key) => (key.startsWith(`${of} `) ? [Number(key.split(" ")[1])] : []));
    for (const name of ["row", "window"]) {
      const found = numbers(name);
      assert.deepEqual(
        found,
        Array.from({ length: found.length }, (_, at) => at + 1),
      );
    }
    // A reading that had not come to the disk when the process was killed is lost with it.
    assert.ok(
      numbers("row").length > came - 8 && numbers("window").length > came / 3,
      `${[...all.given.keys()].length} of ${came}`,
    );
    assert.deepEqual([all.status("row").state, all.status("window").state], ["running", "running"]);
  } finally {
    await close();
  }
});
