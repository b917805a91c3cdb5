import type { Micros, RuleUid } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import {
  type Clock,
  type Files,
  metricsRegistry,
  type Random,
  silentLog,
  systemClock,
  systemRandom,
} from "@penstock/runtime";
import { SimRandom, simDisk } from "@penstock/testkit";
import type { RuleOutput, Sink } from "../sink.ts";
import type { LocalMessage, SinkParts } from "../sink-parts.ts";
import type { Courier, Parcel, Refusal } from "./courier.ts";
import { unreachable } from "./peer-error.ts";

/** What an action of a test is made with, and what it said. */
export function testParts(given: { clock?: Clock; random?: Random; files?: Files; folder?: string } = {}) {
  const metrics = metricsRegistry();
  const published: { topic: string; text: string }[] = [];
  const failures: string[] = [];
  const nowhere = () => {
    throw new Error("no action to the outside reaches this");
  };
  const parts: SinkParts = {
    ...{
      rule: "hot",
      uid: "hot" as RuleUid,
      action: 0,
      log: silentLog,
      metrics,
      folder: given.folder ?? "/data/rules",
    },
    clock: given.clock ?? systemClock({ floor: 0 as Micros }),
    random: given.random ?? systemRandom,
    files: given.files ?? simDisk({ random: new SimRandom(1) }).files,
    site: {
      async publish({ topic, payload }: LocalMessage) {
        published.push({ topic, text: new TextDecoder().decode(payload) });
      },
      ...{ device: nowhere, readings: nowhere, memory: nowhere },
      twin: { setLocally: nowhere, callHere: nowhere },
    },
    failed: (message) => failures.push(message),
  };
  const counted = (name: string) => metrics.totals()[`penstock_rules_${name}_total`] ?? 0;
  return { parts, published, failures, counted, metrics };
}

let numbers = 0;
export function outputOf(...rows: readonly ObjectValue[]): RuleOutput {
  return { rule: "hot", number: ++numbers, time: 1_800_000_000_000_000 as Micros, rows };
}

/** Whether it has resolved by now. */
export function watched(promise: Promise<void>): { isDone: boolean } {
  const seen = { isDone: false };
  void promise.then(() => {
    seen.isDone = true;
  });
  return seen;
}
export const takeAll = (sink: Sink, outputs: readonly RuleOutput[]) =>
  Promise.all(outputs.map((output) => sink.take(output)));

/** A peer that is told what to answer. */
export class FakeCourier implements Courier {
  takesMany = false;
  isUp = true;
  /** rows that it will never take */
  refuses: (row: ObjectValue) => boolean = () => false;
  readonly got: ObjectValue[][] = [];
  addressOf(row: ObjectValue): string {
    return typeof row.to === "string" ? row.to : "here";
  }
  async send({ rows }: Parcel): Promise<readonly Refusal[]> {
    if (!this.isUp) throw unreachable("send", "nobody is there");
    const refusals = rows.flatMap(({ row }, at) => (this.refuses(row) ? [{ at, reason: "not that" }] : []));
    this.got.push(rows.filter((_, at) => !refusals.some((one) => one.at === at)).map(({ row }) => row));
    return refusals;
  }
  async close(): Promise<void> {}
}
