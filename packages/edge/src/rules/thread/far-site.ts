import type { CallOutcome, ListenAtBroker, LocalEnd, TakeNews } from "@penstock/model";
import { decodeSaved, encodeSaved, type ObjectValue, type Saved } from "@penstock/rules";
import type { Metrics } from "@penstock/runtime";
import type { AlarmPlace } from "../sinks/alarm-sink.ts";
import type { RuleOutput, Sink } from "../sinks/sink.ts";
import type { SinkSite } from "../sinks/sink-parts.ts";
import { BatchPacker } from "./batch-packs.ts";
import { Slots } from "./slots.ts";
import type { SiteMethods, ThreadMethods } from "./thread-contract.ts";

type Ask = <K extends keyof SiteMethods>(
  method: K,
  input: Parameters<SiteMethods[K]>[0],
) => Promise<Awaited<ReturnType<SiteMethods[K]>>>;

/** Questions that may be under way: what the gateway has to do for rules in one of its turns stays below some milliseconds. */
const atOnce = { publish: 64, readings: 32, set: 32, call: 256, alarmRows: 32 } as const;
const rowsOfOne = 64;
/** rows of one alarm that wait; beyond, the oldest results go and are counted */
const alarmRowsMost = 5000;

/** What actions and sources reach of the gateway, from the rules' thread. */
export class FarSite implements Omit<SinkSite, "device" | "memory"> {
  readonly publish: SinkSite["publish"];
  readonly readings: SinkSite["readings"];
  readonly twin: SinkSite["twin"];
  readonly alarms: AlarmPlace;
  readonly listen: ListenAtBroker;
  readonly #ask: Ask;
  readonly #slots = new Map(Object.entries(atOnce).map(([kind, count]) => [kind, new Slots(count)]));
  readonly #packer = new BatchPacker();
  readonly #metrics: Metrics;
  readonly #ends = new Map<number, (end: LocalEnd) => void>();
  readonly #listeners = new Map<number, TakeNews>();
  readonly #acts = new Map<number, Parameters<AlarmPlace["sink"]>[0]["act"]>();
  #last = 0;

  constructor(options: { readonly ask: Ask; readonly metrics: Metrics }) {
    this.#ask = options.ask;
    this.#metrics = options.metrics;
    this.publish = (message) => {
      // Of a buffer that is shared with others all of it would be copied.
      const payload = Uint8Array.from(message.payload);
      return this.#within("publish", () => this.#ask("publish", { ...message, payload }));
    };
    // Packed in the turn in which it goes: what it names by number has gone before.
    this.readings = (batch) => this.#within("readings", () => this.#ask("readings", this.#packer.pack([batch])));
    this.twin = {
      setLocally: async (write) => {
        const id = ++this.#last;
        const ended = new Promise<LocalEnd>((resolve) => this.#ends.set(id, resolve));
        try {
          await this.#within("set", () => this.#ask("setLocally", { id, write }));
        } catch (error) {
          this.#ends.delete(id);
          throw error;
        }
        return { ended };
      },
      callHere: (call): Promise<CallOutcome> => this.#within("call", () => this.#ask("callHere", call)),
    };
    this.alarms = { sink: (of) => this.#alarm(of) };
    this.listen = (filter, take) => {
      const listener = ++this.#last;
      this.#listeners.set(listener, take);
      const opened = this.#ask("listen", { listener, filter });
      return {
        close: async () => {
          this.#listeners.delete(listener);
          await opened;
          await this.#ask("unlisten", listener);
        },
      };
    };
  }

  act({ sink, on, n, row }: Parameters<ThreadMethods["act"]>[0]): void {
    this.#acts.get(sink)?.(on, n, decodeSaved(row) as ObjectValue);
  }

  async news({ listener, messages }: Parameters<ThreadMethods["news"]>[0]): Promise<void> {
    await this.#listeners.get(listener)?.(messages);
  }

  ended({ id, end }: Parameters<ThreadMethods["ended"]>[0]): void {
    this.#ends.get(id)?.(end);
    this.#ends.delete(id);
  }

  #alarm({ rule, alarm, act }: Parameters<AlarmPlace["sink"]>[0]): Sink {
    const sink = ++this.#last;
    this.#acts.set(sink, act);
    const opened = this.#ask("openAlarm", { sink, rule, alarm });
    const dropped = this.#metrics.counter(
      "penstock_rules_alarm_dropped_rows_total",
      "Rows of alarms that went since these fell behind",
      { rule },
    );
    let last: Promise<void> = opened;
    let waiting = 0;
    /** of those that wait, so many of the oldest have to go */
    let surplus = 0;
    const give = async (output: RuleOutput) => {
      for (let from = 0; from < output.rows.length; from += rowsOfOne) {
        const rows = output.rows.slice(from, from + rowsOfOne);
        await this.#within("alarmRows", async () => {
          waiting -= rows.length;
          if (surplus > 0) {
            surplus -= rows.length;
            dropped.add(rows.length);
            return;
          }
          const { number, time } = output;
          await this.#ask("alarm", {
            sink,
            rule: output.rule,
            number,
            time,
            rows: encodeSaved(rows as unknown as Saved),
          });
        });
      }
    };
    return {
      take(output) {
        waiting += output.rows.length;
        if (waiting - surplus > alarmRowsMost) surplus += output.rows.length;
        last = give(output);
        return last;
      },
      close: async () => {
        await last;
        await this.#ask("closeAlarm", sink);
        this.#acts.delete(sink);
      },
    };
  }

  #within<T>(kind: keyof typeof atOnce, work: () => Promise<T>): Promise<T> {
    return this.#slots.get(kind)!.within(work);
  }
}
