/** Takes the place of packages/edge/src/twin/calls-journal.ts: which calls were begun is known as long as the agent lives. */
import type { Journal } from "@penstock/runtime";
import type { CallEntry, CallMap, CallRecord } from "../../packages/edge/src/twin/calls-journal.ts";

export type { CallEntry, CallMap, CallRecord };

export async function openCallsJournal(): Promise<Journal<CallMap, CallEntry>> {
  let state: CallMap = new Map();
  return {
    get state() {
      return state;
    },
    async append({ calls, forgotten }) {
      const after = new Map(state);
      for (const call of calls) after.set(call.id, call);
      for (const id of forgotten) after.delete(id);
      state = after;
    },
    async close() {},
  };
}
