import { serveWorker } from "@penstock/runtime";
import { pulseAt } from "./pulse.ts";
import type { ThreadStart } from "./thread-contract.ts";

/** A rules' thread that has no turns any more, at the rule whose mark stands in its folder's place. */
serveWorker<ThreadStart>({
  open({ pulse, folder }) {
    Atomics.store(new Int32Array(pulse), pulseAt.rule, Number(folder));
    return { part() {}, apply: () => ({ reads: [], status: [] }) };
  },
  close() {},
});
