import type { CloudControl } from "@penstock/model";

/** Services that let every gateway in and want nothing of it: benches measure the way of readings. */
export const anyControl: CloudControl = {
  authorize: async () => {},
  wasAssigned: async () => true,
  assigned: async ({ tenant, node }) => ({
    version: 1,
    tenant: { uid: tenant, name: "bench" },
    node: { uid: node, name: "bench", timeZone: "UTC" },
    connections: [],
    devices: [],
    rules: [],
  }),
  pendingDesired: async () => [],
  desiredTaken: async () => {},
  takeReports: async () => {},
  takeHolds: async () => {},
  pendingCalls: async () => [],
  callsTaken: async () => {},
  takeCallReports: async () => {},
  takeMappers: async () => [],
  takeManifest: async () => {},
  nodeConnected() {},
  nodeReport() {},
  nodeDisconnected() {},
  applied() {},
  raise() {},
  clear() {},
  renew: () => Promise.reject(new Error("A bench is over before a certificate is due")),
};
