export { openAuthority } from "./authority/authority.ts";
export { createIngest } from "./ingest/create-ingest.ts";
export { createLinkServer, type LinkServer } from "./link/link-server.ts";
export { openOnePort } from "./link/one-port.ts";
export { type CloudOptions, type RunningCloud, startCloud } from "./main.ts";
export { openSeriesStore } from "./store/series/open-series-store.ts";
export { readAllReadings } from "./store/series/read-all-readings.ts";
