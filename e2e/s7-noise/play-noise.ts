import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { s7 } from "@penstock/mapper-s7";
import { type MapperConnection, openContext, readsInto, withDefaults } from "@penstock/mapper-sdk";
import { codeOf, defaultLine, type ErrorCode, errors } from "@penstock/model";
import { systemClock } from "@penstock/runtime";
import { placeValue, timeoutMs } from "./place-value.ts";

export interface NoiseVerdict {
  readonly seconds: number;
  readonly seed: number;
  readonly reads: number;
  readonly writes: number;
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
const places = 40;
/** Longer than any read takes with its retries: then a caller hangs. */
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

/** Reads and writes through the mapper while its PLC makes noise, then once more when it is well again. */
export async function playNoise(options: { readonly seconds: number; readonly seed: number }): Promise<NoiseVerdict> {
  const { seconds, seed } = options;
  const nonce = (seed * 7919) & 0xffffff;
  const plc = fork(join(import.meta.dirname, "noisy-plc.ts"), [`${nonce}`, `${seed}`], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = once(plc, "exit");
  const [{ port }] = (await once(plc, "message")) as [{ port: number }];
  const client = new Client(port, nonce);
  const began = performance.now();
  const elapsed = () => performance.now() - began;
  let rssEarly = 0;
  const load = Array.from({ length: callers }, async (_, caller) => {
    for (let round = caller; elapsed() < seconds * 1000; round++) {
      await client.readAll();
      if (round % 7 === 0) await client.write(round % places);
      if (rssEarly === 0 && elapsed() > rssAfterMs) rssEarly = rssMb();
    }
  });
  await Promise.all(load);
  const rssEnd = rssMb();
  const { findings } = client;
  if (rssEarly > 0 && rssEnd > rssEarly * 1.1) {
    findings.push(`memory grew from ${rssEarly.toFixed(1)} to ${rssEnd.toFixed(1)} MB`);
  }
  const { good, reads, writes, opened } = client;
  const bad = { ...client.bad };
  if (good === 0) findings.push("not one value was good");
  if (Object.keys(bad).length === 0) findings.push("not one value was bad: there was no noise");
  plc.send("quiet");
  await client.recover();
  await client.close();
  plc.disconnect();
  await exited;
  return {
    ...{ seconds, seed, reads, writes, good, bad, opened },
    ...{ rssEarlyMb: Math.round(rssEarly), rssEndMb: Math.round(rssEnd), findings },
  };
}

function point(offset: number) {
  const visitor = withDefaults(s7.visitor, { db: 10, offset });
  const filled = { address: withDefaults(s7.address, {}), visitor };
  return { device: "d", property: `p${offset}`, type: "uint8" as const, ...filled, custom: {}, deviceCustom: {} };
}
/** Every third byte, and some far away: several items in several jobs. */
const offsets = Array.from({ length: places }, (_, i) => (i < 20 ? i * 3 : 100 * i));

/** What mapper-host does with a mapper, in short: opens it, uses it, opens it again when it was lost. */
class Client {
  readonly findings: string[] = [];
  readonly bad: Record<string, number> = {};
  good = 0;
  reads = 0;
  writes = 0;
  opened = 0;
  readonly #port: number;
  readonly #nonce: number;
  readonly #points = offsets.map(point);
  #connection: Promise<MapperConnection> | null = null;

  constructor(port: number, nonce: number) {
    this.#port = port;
    this.#nonce = nonce;
  }

  /** every row is either right or bad with a reason of the table */
  async readAll(): Promise<void> {
    this.reads++;
    const seen = new Set<number>();
    await this.#use("read", async (connection, signal) => {
      if (!readsInto(connection)) throw new Error("The S7 mapper reads into a sink");
      const sink = {
        at() {},
        good: (row: number, value: unknown) => {
          seen.add(row);
          this.good++;
          const right = placeValue(this.#nonce, offsets[row]!);
          if (value !== right) this.#find(`byte ${offsets[row]}: ${value} instead of ${right}`);
        },
        bad: (row: number, reason: ErrorCode) => {
          seen.add(row);
          this.bad[reason] = (this.bad[reason] ?? 0) + 1;
          if (!(reason in errors)) this.#find(`no reason of the table: "${reason}"`);
        },
      };
      await connection.readInto(this.#points, sink, { signal });
      if (seen.size !== places) this.#find(`${places - seen.size} of ${places} rows not reported`);
    });
  }

  async write(nth: number): Promise<void> {
    this.writes++;
    const value = placeValue(this.#nonce, offsets[nth]!);
    await this.#use("write", (connection, signal) => connection.write(this.#points[nth]!, value, { signal }));
  }

  /** The PLC is well: at most for as long as answers may be late, some rows may still be bad. */
  async recover(): Promise<void> {
    const until = performance.now() + 15_000;
    for (;;) {
      const before = this.good;
      await this.readAll();
      if (this.good - before === places) return;
      if (performance.now() > until) {
        this.#find("the PLC is well, and not all of it can be read");
        return;
      }
    }
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => null);
    await connection?.close();
  }

  async #use(what: string, work: (connection: MapperConnection, signal: AbortSignal) => Promise<void>): Promise<void> {
    const hung = new AbortController();
    const timer = setTimeout(() => {
      this.#find(`a ${what} took longer than ${hungMs} ms`);
      hung.abort();
    }, hungMs);
    try {
      await work(await (this.#connection ?? this.#open()), hung.signal);
    } catch (error) {
      const code = codeOf(error);
      if (code === "internal") {
        this.#find(`a ${what} failed without a code: ${error instanceof Error ? error.stack : error}`);
      }
      this.bad[`${what} ${code}`] = (this.bad[`${what} ${code}`] ?? 0) + 1;
    } finally {
      clearTimeout(timer);
    }
  }

  #open(): Promise<MapperConnection> {
    this.opened++;
    const forget = () => {
      if (this.#connection === opening) this.#connection = null;
    };
    const context = openContext({
      signal: AbortSignal.timeout(hungMs),
      clock: systemClock(),
      line: { ...defaultLine, timeoutMs, retries: 1, inFlight: 3 },
      lost: forget,
    });
    const settings = withDefaults(s7.connection, { host: "127.0.0.1", port: this.#port });
    const opening = s7.open(settings, context).then((opened) => opened as MapperConnection); // of its own points
    opening.catch(forget);
    this.#connection = opening;
    return opening;
  }

  #find(what: string): void {
    // One fault may show in every value: the first few tell what it is.
    if (this.findings.length < 20) this.findings.push(what);
  }
}
