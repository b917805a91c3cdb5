export const lookupKinds = ["redis", "sql", "http"] as const;
/** when nobody says */
export const lookupDefaults = { ttlMs: 60_000, timeoutMs: 5000, most: 10_000 } as const;
