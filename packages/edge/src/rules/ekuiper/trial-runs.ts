import { AppError, isObject, limits, type Micros } from "@penstock/model";
import { type ObjectValue, QueryRunner, rowReader } from "@penstock/rules";
import type { Cancel } from "@penstock/runtime";
import { jsonOf } from "../sinks/row-json.ts";
import { fromEkuiper, sourcesOf } from "./from-ekuiper.ts";
import { type LocalEngine, notFound } from "./local-engine.ts";
import { msOf } from "./props.ts";

interface Mock {
  readonly data: readonly ObjectValue[];
  readonly intervalMs: number;
  readonly isLooped: boolean;
}
interface Trial {
  start(): void;
  /** @returns what ends it */
  listen(listener: (line: string | null) => void): () => void;
  close(): void;
}

/** Rules on trial, on typed-in rows: nothing is kept, and no action is done. */
export class TrialRuns {
  readonly #engine: LocalEngine;
  readonly #runs = new Map<string, { readonly trial: Trial; readonly forget: Cancel }>();

  constructor(engine: LocalEngine) {
    this.#engine = engine;
  }

  /** @throws AppError input/invalid, rules/bad-sql, request/too-many */
  create(body: unknown): string {
    const { id, sql, mockSource } = isObject(body) ? body : {};
    if (typeof id !== "string" || id === "" || typeof sql !== "string")
      throw new AppError("input/invalid", "Invalid body: id and sql must be text");
    const mocks = mocksOf(mockSource);
    const missing = sourcesOf(sql).filter((name) => !mocks.has(name));
    if (missing.length > 0)
      throw new AppError(
        "input/invalid",
        `A trial runs on rows that it is given: mockSource has none for ${missing.join(", ")}`,
      );
    if (!this.#runs.has(id) && this.#runs.size >= limits.trialRuns)
      throw new AppError("request/too-many", `Cannot keep more than ${limits.trialRuns} trial runs`);
    this.stop(id);
    const trial = trialOf(this.#engine, { sql, mocks });
    const forget = this.#engine.clock.after(limits.trialRunMs, () => this.stop(id));
    this.#runs.set(id, { trial, forget });
    return id;
  }
  /** @throws AppError request/not-found */
  find(id: string): Trial {
    const run = this.#runs.get(id);
    if (run === undefined) throw notFound("Test rule", id);
    return run.trial;
  }
  stop(id: string): void {
    const run = this.#runs.get(id);
    run?.forget();
    run?.trial.close();
    this.#runs.delete(id);
  }
  close(): void {
    for (const id of [...this.#runs.keys()]) this.stop(id);
  }
}

/** @throws AppError rules/bad-sql */
function trialOf(
  engine: LocalEngine,
  { sql, mocks }: { readonly sql: string; readonly mocks: ReadonlyMap<string, Mock> },
): Trial {
  const { clock } = engine;
  const read = fromEkuiper({
    ...{ rule: { id: "trial", sql, actions: [{ nop: {} }] }, streams: engine.statements(), ownBrokers: new Set() },
  });
  // What a stream is fed by does not matter here: its rows are given.
  const sources = Object.fromEntries(
    [...mocks.keys()].map((name) => [name, { memory: {}, ...columnsOf(read.rule?.sources[name]) }]),
  );
  const plan = engine.plan({
    ...{
      uid: "",
      name: "trial",
      generation: 1,
      sql,
      mode: "compat",
      isStopped: false,
      eventTime: null,
      sources,
      actions: [],
    },
  } as unknown as Parameters<LocalEngine["plan"]>[0]);
  const listeners = new Set<(line: string | null) => void>();
  const tell = (line: string) => {
    for (const listener of listeners) listener(line);
  };
  const runner = new QueryRunner(plan, {
    rows: (rows) => tell(`[${rows.map(jsonOf).join(",")}]`),
    error: ({ message }) => tell(JSON.stringify({ error: message })),
  });
  const timers = new Set<Cancel>();
  const later = (ms: number, work: () => void) => {
    const cancel = clock.after(ms, () => {
      timers.delete(cancel);
      work();
    });
    timers.add(cancel);
  };
  let isOver = false;
  const feed = (name: string, { data, intervalMs, isLooped }: Mock, at: number) => {
    const row = data[at % data.length];
    if (row === undefined || isOver || (at >= data.length && !isLooped) || at >= limits.trialRows) return;
    const now = clock.now();
    for (const source of plan.sources.filter(({ stream }) => stream === name)) {
      const made = rowReader(source, { name, columns: null })({ content: row, at: now });
      runner.push({ ...made, at: now }, now);
    }
    later(intervalMs, () => feed(name, mocks.get(name)!, at + 1));
  };
  const tick = () => {
    if (isOver) return;
    const now: Micros = clock.now();
    const due = runner.due();
    if (due !== null && due <= now) runner.tick(due, now);
    later(10, tick);
  };
  return {
    start() {
      for (const [name, mock] of mocks) feed(name, mock, 0);
      tick();
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      isOver = true;
      for (const cancel of timers) cancel();
      for (const listener of listeners) listener(null);
    },
  };
}

function columnsOf(source: { readonly columns?: string } | undefined): { readonly columns?: string } {
  return source?.columns === undefined ? {} : { columns: source.columns };
}

/** @throws AppError input/invalid */
function mocksOf(given: unknown): ReadonlyMap<string, Mock> {
  if (!isObject(given))
    throw new AppError("input/invalid", "A trial runs on rows that it is given: mockSource is missing");
  return new Map(
    Object.entries(given).map(([name, one]) => {
      const { data, interval, loop } = isObject(one) ? one : {};
      if (!Array.isArray(data) || !data.every(isObject) || data.length > limits.trialRows)
        throw new AppError(
          "input/invalid",
          `mockSource.${name}.data must be a list of at most ${limits.trialRows} rows`,
        );
      return [
        name,
        { data: data as readonly ObjectValue[], intervalMs: Math.max(1, msOf(interval) ?? 1), isLooped: loop === true },
      ];
    }),
  );
}
