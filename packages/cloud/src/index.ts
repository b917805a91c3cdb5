export * from "./link/link-server.ts";
export type { Peer } from "./link/run-session.ts";
