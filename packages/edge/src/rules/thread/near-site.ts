import type { BrokerNews, ListenAtBroker, TakeNews } from "@penstock/model";
import type { ObjectValue, Saved } from "@penstock/rules";
import { decodeSaved, encodeSaved } from "@penstock/rules/values";
import type { Methods } from "@penstock/runtime";
import type { RulesOptions } from "../rules.ts";
import type { Sink } from "../sinks/sink.ts";
import { BatchUnpacker } from "./batch-packs.ts";
import type { SiteMethods, ThreadMethods } from "./thread-contract.ts";

/** Answers what the rules' thread asks of the gateway. One for each life of the thread: what it opened ends with it. */
export function nearSite(
  { publish, readings, twin, alarms, listen }: RulesOptions["site"] & { readonly listen: ListenAtBroker },
  tell: <K extends "act" | "ended" | "news">(method: K, input: Parameters<ThreadMethods[K]>[0]) => Promise<void>,
): { readonly methods: Methods; close(): void } {
  const unpacker = new BatchUnpacker();
  const sinks = new Map<number, Sink>();
  const listeners = new Map<number, ReturnType<ListenAtBroker>>();
  const methods: SiteMethods = {
    publish,
    async readings(batches) {
      for (const batch of unpacker.unpack(batches)) await readings(batch);
    },
    async setLocally({ id, write }) {
      const { ended } = await twin.setLocally(write);
      void ended.then((end) => tell("ended", { id, end })).catch(nobody);
    },
    callHere: (call) => twin.callHere(call),
    listen({ listener, filter }) {
      const take: TakeNews = (messages) => tell("news", { listener, messages: messages.map(ownBytes) });
      listeners.set(listener, listen(filter, take));
    },
    async unlisten(listener) {
      await listeners.get(listener)?.close();
      listeners.delete(listener);
    },
    openAlarm({ sink, rule, alarm }) {
      const act = (on: "raise" | "clear", n: number, row: ObjectValue) => {
        tell("act", { sink, on, n, row: encodeSaved(row as unknown as Saved) }).catch(nobody);
      };
      sinks.set(sink, alarms!.sink({ rule, alarm, act }));
    },
    async alarm({ sink, rows, ...output }) {
      await sinks.get(sink)?.take({ ...output, rows: decodeSaved(rows) as unknown as readonly ObjectValue[] });
    },
    async closeAlarm(sink) {
      await sinks.get(sink)?.close();
      sinks.delete(sink);
    },
  };
  return {
    methods: methods as Methods,
    close() {
      for (const one of [...sinks.values(), ...listeners.values()]) void one.close();
      sinks.clear();
      listeners.clear();
    },
  };
}

/** Of a buffer that is shared with others all of it would be copied. */
function ownBytes({ topic, payload }: BrokerNews): BrokerNews {
  return { topic, payload: Uint8Array.from(payload) };
}

/** The thread is gone, and with it who wanted to know. */
const nobody = () => {};
