import type { OpenSink } from "./sink-parts.ts";

/** Rows for other rules of the gateway, in the turn in which they are computed: nothing waits, and nothing can fail. */
export const openMemory: OpenSink<"memory"> = ({ stream }, { site }) => ({
  async take(output) {
    site.memory(stream, output);
  },
  async close() {},
});
