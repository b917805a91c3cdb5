export * from "./bypass/bypass.ts";
export * from "./link/link.ts";
export * from "./link/link-options.ts";
export * from "./link/renewal.ts";
export * from "./twin/twin.ts";
