import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  type MapperConnection,
  openContext,
  type Point,
  type Subscribes,
  subscribes,
  withDefaults,
} from "@penstock/mapper-sdk";
import { codeOf, defaultLine, errors } from "@penstock/model";
import { systemClock } from "@penstock/runtime";
import { opcua } from "../../packages/mappers/opcua/src/index.ts";
import { counter, nodes, nodeValue, timeoutMs } from "./node-value.ts";

export interface NoiseVerdict {
  readonly seconds: number;
  readonly seed: number;
  readonly reads: number;
  readonly writes: number;
  readonly news: number;
  readonly good: number;
  /** by reason */
  readonly bad: Readonly<Record<string, number>>;
  readonly opened: number;
  readonly rssEarlyMb: number;
  readonly rssEndMb: number;
  /** what should not have happened; empty when all is well */
  readonly findings: readonly string[];
}

const callers = 3;
/** Longer than any read takes: then a caller hangs. */
const hungMs = 15_000;
/** Runs shorter than this are for the other checks; memory settles later. */
const rssAfterMs = 10_000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
function rssMb(): number {
  // What has been let go of is not leaked, whether or not it has been collected yet.
  collectGarbage();
  return process.memoryUsage.rss() / 2 ** 20;
}

/** Reads, writes and subscribes through the mapper while its line makes noise, then once when the line is well again. */
export async function playNoise(options: { readonly seconds: number; readonly seed: number }): Promise<NoiseVerdict> {
  const { seconds, seed } = options;
  const nonce = (seed * 7919) & 0xffffff;
  const server = fork(join(import.meta.dirname, "noisy-server.ts"), [`${nonce}`, `${seed}`], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = once(server, "exit");
  const [{ port }] = (await once(server, "message")) as [{ port: number }];
  const folder = await mkdtemp(join(tmpdir(), "penstock-opcua-noise-"));
  const client = new Client({ url: `opc.tcp://127.0.0.1:${port}`, nonce, folder });
  const began = performance.now();
  const elapsed = () => performance.now() - began;
  let rssEarly = 0;
  const load = Array.from({ length: callers }, async (_, caller) => {
    for (let round = caller; elapsed() < seconds * 1000; round++) {
      await client.read();
      if (round % 7 === 0) await client.write(round % nodes);
      // As a cycle would, instead of one read after the other without end.
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (rssEarly === 0 && elapsed() > rssAfterMs) rssEarly = rssMb();
    }
  });
  await Promise.all(load);
  const rssEnd = rssMb();
  if (rssEarly > 0 && rssEnd > rssEarly * 1.1) {
    client.find(`memory grew from ${rssEarly.toFixed(1)} to ${rssEnd.toFixed(1)} MB`);
  }
  const bad = { ...client.bad };
  if (client.good === 0) client.find("not one value was good");
  if (client.news === 0) client.find("not one change was told");
  if (Object.keys(bad).length === 0) client.find("not one value was bad: there was no noise");
  server.send("quiet");
  await client.recover();
  await client.close();
  server.disconnect();
  await exited;
  await rm(folder, { recursive: true, force: true });
  const { good, reads, writes, news, opened, findings } = client;
  return {
    ...{ seconds, seed, reads, writes, news, good, bad, opened, findings },
    ...{ rssEarlyMb: Math.round(rssEarly), rssEndMb: Math.round(rssEnd) },
  };
}

type Opened = MapperConnection & Partial<Subscribes>;

/** What mapper-host does with a mapper, in short: opens it, subscribes, uses it, opens it again when it was lost. */
class Client {
  readonly findings: string[] = [];
  readonly bad: Record<string, number> = {};
  good = 0;
  reads = 0;
  writes = 0;
  news = 0;
  opened = 0;
  readonly #url: string;
  readonly #nonce: number;
  readonly #folder: string;
  readonly #points = Array.from({ length: nodes }, (_, i) => point(i));
  #connection: Promise<Opened> | null = null;

  constructor(options: { readonly url: string; readonly nonce: number; readonly folder: string }) {
    this.#url = options.url;
    this.#nonce = options.nonce;
    this.#folder = options.folder;
  }

  /** every row is either right or bad with a reason of the table */
  async read(): Promise<void> {
    this.reads++;
    await this.#use("read", async (connection, signal) => {
      const results = await connection.read(this.#points, { signal });
      if (results.length !== nodes) this.find(`${results.length} results instead of ${nodes}`);
      results.forEach(({ value, reason }, i) => {
        if (value === null) {
          this.#count(reason ?? "none");
          if (reason === undefined || !(reason in errors)) this.find(`no reason of the table: "${reason}"`);
          return;
        }
        this.good++;
        const right = nodeValue(this.#nonce, i);
        if (value !== right) this.find(`node ${i}: ${value} instead of ${right}`);
      });
    });
  }

  async write(i: number): Promise<void> {
    this.writes++;
    const value = nodeValue(this.#nonce, i);
    await this.#use("write", (connection, signal) => connection.write(this.#points[i]!, value, { signal }));
  }

  /** The line is well: at most for as long as answers may be late, some may still be bad. */
  async recover(): Promise<void> {
    const until = performance.now() + 30_000;
    for (;;) {
      const [good, news] = [this.good, this.news];
      await this.read();
      await new Promise((resolve) => setTimeout(resolve, 300));
      if (this.good - good === nodes && this.news > news) return;
      if (performance.now() > until) return this.find("the line is well, and not all of it comes");
    }
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => null);
    await connection?.close();
  }

  find(finding: string): void {
    if (this.findings.length < 20) this.findings.push(finding);
  }

  async #use(what: string, work: (connection: Opened, signal: AbortSignal) => Promise<void>): Promise<void> {
    const hung = new AbortController();
    const timer = setTimeout(() => {
      this.find(`a ${what} took longer than ${hungMs} ms`);
      hung.abort();
    }, hungMs);
    try {
      await work(await (this.#connection ?? this.#open()), hung.signal);
    } catch (error) {
      this.#failed(what, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #failed(what: string, error: unknown): void {
    const code = codeOf(error);
    if (code === "internal") {
      this.find(`a ${what} failed without a code: ${error instanceof Error ? error.stack : error}`);
    }
    this.#count(`${what} ${code}`);
  }

  #count(reason: string): void {
    this.bad[reason] = (this.bad[reason] ?? 0) + 1;
  }

  #open(): Promise<Opened> {
    this.opened++;
    const forget = () => {
      if (this.#connection === opening) this.#connection = null;
    };
    const context = openContext({
      signal: AbortSignal.timeout(hungMs),
      clock: systemClock(),
      folder: this.#folder,
      line: { ...defaultLine, timeoutMs, connectTimeoutMs: 2000 },
      lost: () => {
        forget();
        opening.then((connection) => connection.close()).catch(() => {});
      },
    });
    const settings = withDefaults(opcua.connection, { url: this.#url, holdMs: 3000 });
    const opening = opcua.open(settings, context) as Promise<Opened>;
    opening.then(
      (connection) => this.#subscribe(connection),
      () => queueMicrotask(forget),
    );
    this.#connection = opening;
    return opening;
  }

  /** of one subscription, no change is told twice, swapped or left out */
  async #subscribe(connection: Opened): Promise<void> {
    if (!subscribes(connection)) throw new Error("The OPC UA mapper subscribes");
    let last: number | null = null;
    const each = (_: number, { value, reason }: { value: unknown; reason?: string }) => {
      if (value === null) return this.#count(`news ${reason}`);
      this.news++;
      if (last !== null && value !== last + 1) this.find(`the counter told ${value} after ${last}`);
      last = value as number;
    };
    try {
      const signal = AbortSignal.timeout(hungMs);
      await connection.subscribe([point(counter, { publishing: 50, sampling: 0, queue: 10_000 })], {
        ...{ signal, ended: new AbortController().signal, each },
      });
    } catch (error) {
      this.#failed("subscribe", error);
      // As mapper-host would; so the next one begins again with a subscription.
      if (codeOf(error) !== "mapper/connection-lost") await connection.close();
      this.#connection = null;
    }
  }
}

function point(i: number, visitor: object = {}): Point {
  return {
    ...{ device: "plant", property: `count${i}`, type: "uint32", address: {}, custom: {}, deviceCustom: {} },
    visitor: withDefaults(opcua.visitor, { nodeId: `nsu=urn:penstock:test:plant;s=count${i}`, ...visitor }),
  };
}
