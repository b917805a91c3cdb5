import { serveWorker } from "@penstock/runtime";
import type { ThreadStart } from "./thread-contract.ts";

/** A rules' thread that breaks at what it finds on the disk, before any rule is at work. */
serveWorker<ThreadStart>({
  open: ({ forgets }) => ({
    part() {},
    apply: () => (forgets ? { reads: [], status: [] } : process.exit(1)),
  }),
  close() {},
});
