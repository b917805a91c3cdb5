import type { OpenSink } from "./sink-parts.ts";

/** Rows for other rules of the gateway, in the turn in which they are computed unless there are very many. */
export const openMemory: OpenSink<"memory"> = ({ stream }, { site }) => ({
  async take(output) {
    await site.memory(stream, output);
  },
  async close() {},
});
