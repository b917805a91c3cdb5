import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type MapperConnection, openContext, readsInto, withDefaults } from "@penstock/mapper-sdk";
import { codeOf, defaultLine, type ErrorCode, errors } from "@penstock/model";
import { systemClock } from "@penstock/runtime";
import { openPtyPair } from "@penstock/testkit";
import { modbus } from "../../packages/mappers/modbus/src/index.ts";
import { type NoisyTransport, registerValue, timeoutMs, unitIds } from "./register-value.ts";

export interface NoiseVerdict {
  readonly transport: NoisyTransport;
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

const addresses = 40;
const callers = 3;
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

/** Reads and writes through the mapper while its device makes noise, then once when the device is well again. */
export async function playNoise(options: {
  readonly transport: NoisyTransport;
  readonly seconds: number;
  readonly seed: number;
}): Promise<NoiseVerdict> {
  const { transport, seconds, seed } = options;
  const nonce = (seed * 7919) & 0xffffff;
  const pair = transport === "rtu" || transport === "ascii" ? await openPtyPair() : null;
  const args = [transport, pair?.a ?? "", `${nonce}`, `${seed}`];
  const slave = fork(join(import.meta.dirname, "noisy-slave.ts"), args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = once(slave, "exit");
  const [{ port }] = (await once(slave, "message")) as [{ port: number }];
  const settings = pair === null ? { transport, host: "127.0.0.1", port } : { transport, path: pair.b, baud: 115_200 };
  const stage = new Client(withDefaults(modbus.connection, settings), nonce);
  const began = performance.now();
  const elapsed = () => performance.now() - began;
  let rssEarly = 0;
  const load = Array.from({ length: callers }, async (_, caller) => {
    for (let round = caller; elapsed() < seconds * 1000; round++) {
      await stage.readUnit(unitIds[round % unitIds.length]!);
      if (round % 7 === 0) await stage.write(unitIds[round % unitIds.length]!, round % addresses);
      if (rssEarly === 0 && elapsed() > rssAfterMs) rssEarly = rssMb();
    }
  });
  await Promise.all(load);
  const rssEnd = rssMb();
  if (rssEarly > 0 && rssEnd > rssEarly * 1.1) {
    stage.findings.push(`memory grew from ${rssEarly.toFixed(1)} to ${rssEnd.toFixed(1)} MB`);
  }
  const { good, reads, writes, opened } = stage;
  if (good === 0) stage.findings.push("not one value was good");
  if (Object.keys(stage.bad).length === 0) stage.findings.push("not one value was bad: there was no noise");
  const bad = { ...stage.bad };
  slave.send("quiet");
  await stage.recover();
  await stage.close();
  slave.disconnect();
  await exited;
  await pair?.close();
  return {
    ...{ transport, seconds, seed, reads, writes, good, bad, opened },
    ...{ rssEarlyMb: Math.round(rssEarly), rssEndMb: Math.round(rssEnd), findings: stage.findings },
  };
}

/** What mapper-host does with a mapper, in short: opens it, uses it, opens it again when it was lost. */
class Client {
  readonly findings: string[] = [];
  readonly bad: Record<string, number> = {};
  good = 0;
  reads = 0;
  writes = 0;
  opened = 0;
  readonly #settings: Parameters<typeof modbus.open>[0];
  readonly #nonce: number;
  readonly #points = new Map<number, ReturnType<typeof point>[]>();
  #connection: Promise<MapperConnection> | null = null;

  constructor(settings: Parameters<typeof modbus.open>[0], nonce: number) {
    this.#settings = settings;
    this.#nonce = nonce;
    for (const unit of unitIds) {
      // Every third register, and one far away: several requests of several lengths.
      const places = Array.from({ length: addresses }, (_, i) => (i < 30 ? i * 3 : 900 + i));
      this.#points.set(
        unit,
        places.map((address) => point(unit, address)),
      );
    }
  }

  /** every row is either right or bad with a reason of the table */
  async readUnit(unit: number): Promise<void> {
    const points = this.#points.get(unit)!;
    this.reads++;
    const seen = new Set<number>();
    await this.#use("read", async (connection, signal) => {
      if (!readsInto(connection)) throw new Error("The Modbus mapper reads into a sink");
      const sink = {
        at() {},
        good: (row: number, value: unknown) => {
          seen.add(row);
          this.good++;
          const { offset } = points[row]!.visitor;
          const right = registerValue(this.#nonce, unit, offset);
          if (value !== right) this.#find(`unit ${unit} register ${offset}: ${value} instead of ${right}`);
        },
        bad: (row: number, reason: ErrorCode) => {
          seen.add(row);
          this.bad[reason] = (this.bad[reason] ?? 0) + 1;
          if (!(reason in errors)) this.#find(`no reason of the table: "${reason}"`);
        },
      };
      await connection.readInto(points, sink, { signal });
      if (seen.size !== points.length) this.#find(`${points.length - seen.size} of ${points.length} rows not reported`);
    });
  }

  async write(unit: number, nth: number): Promise<void> {
    const target = this.#points.get(unit)![nth]!;
    this.writes++;
    await this.#use("write", (connection, signal) =>
      connection.write(target, registerValue(this.#nonce, unit, target.visitor.offset), { signal }),
    );
  }

  /** The device is well: at most for as long as answers may be late, some rows may still be bad. */
  async recover(): Promise<void> {
    const until = performance.now() + 15_000;
    const before = () => Object.values(this.bad).reduce((sum, count) => sum + count, 0);
    for (;;) {
      const badBefore = before();
      const goodBefore = this.good;
      for (const unit of unitIds) await this.readUnit(unit);
      if (before() === badBefore && this.good - goodBefore === unitIds.length * addresses) return;
      if (performance.now() > until) {
        this.#find("the device is well, and not all of it can be read");
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
      if (code === "internal")
        this.#find(`a ${what} failed without a code: ${error instanceof Error ? error.stack : error}`);
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
      lost: () => {
        forget();
        opening.then((connection) => connection.close()).catch(() => {});
      },
    });
    // The erased types are those of the settings above.
    const opening = modbus.open(this.#settings, context) as Promise<MapperConnection>;
    opening.catch(() => queueMicrotask(forget));
    this.#connection = opening;
    return opening;
  }

  #find(finding: string): void {
    if (this.findings.length < 20) this.findings.push(finding);
  }
}

function point(unitId: number, offset: number) {
  return {
    ...{ device: `unit-${unitId}`, property: `p${offset}`, type: "uint16" as const, custom: {}, deviceCustom: {} },
    address: { unitId },
    visitor: withDefaults(modbus.visitor, { table: "holding", offset, raw: "uint16" }),
  };
}
