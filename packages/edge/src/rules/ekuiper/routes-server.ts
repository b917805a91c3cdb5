import type { RestRoute } from "./rest-routes.ts";

/** What eKuiper says of itself. */
export const serverRoutes: readonly RestRoute[] = [
  {
    ...{ methods: ["GET", "POST"], path: "/" },
    handle: ({ version, startedAt, engine }) => {
      const upTimeSeconds = Math.floor((engine.clock.monotonic() - startedAt) / 1_000_000);
      return { status: 200, json: { version: `penstock-${version}`, os: "linux", arch: "", upTimeSeconds } };
    },
  },
  { methods: ["GET"], path: "/ping", handle: () => ({ status: 200, text: "" }) },
  {
    ...{ methods: ["GET"], path: "/metrics/dump" },
    handle: (site) => ({ status: 200, text: site.metrics(), type: "text/plain; version=0.0.4" }),
  },
];
