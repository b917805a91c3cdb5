/** The worker that answers questions to series.db; it never writes. */
import type { DatabaseSync } from "node:sqlite";
import { openSqlite, serveWorker, sqliteError } from "@penstock/runtime";
import { createBlockReader } from "./block-reader.ts";
import { createLayouts } from "./layouts.ts";
import type { ReaderMethods } from "./protocol.ts";
import { readLatest } from "./read-latest.ts";
import { readSeries } from "./read-series.ts";
import { seriesFile } from "./schema.ts";

let db: DatabaseSync | null = null;

serveWorker<{ readonly folder: string }>({
  open({ folder }) {
    const opened = openSqlite({ path: seriesFile(folder), readOnly: true, cacheKib: 65_536 });
    db = opened;
    const store = { layouts: createLayouts(opened), blocks: createBlockReader(opened) };
    function atOneMoment<T>(read: () => T): T {
      try {
        opened.exec("BEGIN");
        return read();
      } catch (error) {
        throw sqliteError(error, "Cannot read the series store");
      } finally {
        if (opened.isTransaction) opened.exec("COMMIT");
      }
    }
    return {
      query: (input) => atOneMoment(() => readSeries(store, input)),
      latest: (input) => atOneMoment(() => readLatest(store, input)),
    } satisfies ReaderMethods;
  },
  close() {
    db?.close();
  },
});
