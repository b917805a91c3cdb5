import { int, list, oneOf, type Settings } from "@penstock/mapper-sdk";
import type { SettingsRule } from "@penstock/model";

/** What a Connection says besides its place when this end is the server. */
export const serverFields = {
  role: oneOf(["client", "server"], {
    default: "client",
    summary:
      "client asks devices; server listens there and holds registers that PLCs or SCADA write and read: properties " +
      "read what lies in the registers of their unit, and what is set lies there for others to read",
  }),
  units: list(int({ min: 0, max: 255 }), {
    optional: true,
    maxItems: 256,
    summary:
      "Server: unit ids that answer. When missing: all on Modbus TCP, elsewhere those of this Connection's devices",
  }),
  unwritten: oneOf(["refuse", "zero"], {
    default: "refuse",
    summary: "Server: what others read where nobody has written yet: refused with exception 2, or 0",
  }),
  staleAfterMs: int({
    min: 100,
    max: 86_400_000,
    optional: true,
    unit: "ms",
    summary: "Server: what no master has written for so long reads bad; never when missing",
  }),
  maxConnections: int({ min: 1, max: 256, default: 32, summary: "Server: masters at a time, on a network" }),
  idleMs: int({
    min: 1000,
    max: 86_400_000,
    default: 300_000,
    unit: "ms",
    summary: "Server: a master that says nothing for so long is disconnected, on a network",
  }),
  requestsPerSecond: int({
    min: 1,
    max: 100_000,
    default: 2000,
    summary: "Server: of one master, on a network; who asks more has to wait",
  }),
};
export type ServerSettings = Omit<Settings<typeof serverFields>, "role">;

/** What a client has no use for. */
export const serverRules: readonly SettingsRule[] = [
  {
    when: { field: "connection.role", in: ["client"] },
    refuse: ["units", "unwritten", "staleAfterMs", "maxConnections", "idleMs", "requestsPerSecond"].map(
      (name) => `connection.${name}`,
    ),
    because: "it says how a server answers",
  },
];
