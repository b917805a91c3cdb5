import type { Client } from "@penstock/api";
import { AppError, type Kind } from "@penstock/model";

/** What people may call a kind on the command line, and where it lives. */
export const kindTable = {
  tenants: { kind: "Tenant", words: ["tenant", "tenants"], platform: true },
  users: { kind: "User", words: ["user", "users"], platform: true },
  nodes: { kind: "Node", words: ["node", "nodes", "gateway", "gateways"], platform: false },
  connections: { kind: "Connection", words: ["connection", "connections", "conn"], platform: false },
  deviceModels: { kind: "DeviceModel", words: ["devicemodel", "devicemodels", "model", "models"], platform: false },
  devices: { kind: "Device", words: ["device", "devices"], platform: false },
  rules: { kind: "Rule", words: ["rule", "rules"], platform: false },
} as const satisfies Record<string, { kind: Kind; words: readonly string[]; platform: boolean }>;
export type KindName = keyof typeof kindTable;

export function kindOfWord(word: string): KindName {
  const found = Object.entries(kindTable).find(([, entry]) =>
    (entry.words as readonly string[]).includes(word.toLowerCase()),
  );
  if (found === undefined) {
    const known = Object.values(kindTable).map((entry) => entry.words[1]);
    throw new AppError(
      "input/unknown-kind",
      `Unknown kind "${word}": must be one of ${known.join(", ")}, alarms, jointokens`,
    );
  }
  return found[0] as KindName;
}

export function kindOfResource(kind: unknown): KindName {
  const found = Object.entries(kindTable).find(([, entry]) => entry.kind === kind);
  if (found === undefined) {
    const known = Object.values(kindTable).map((entry) => entry.kind);
    throw new AppError("input/unknown-kind", `Unknown kind "${String(kind)}": must be one of ${known.join(", ")}`);
  }
  return found[0] as KindName;
}

/** A resource as the API answers it, as far as every kind is alike. */
export interface AnyResource {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: {
    readonly tenant?: string;
    readonly name: string;
    readonly displayName?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
    readonly createdAt: string;
    readonly updatedAt: string;
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: Readonly<Record<string, unknown>>;
}

/** The five verbs, alike for every kind; the casts drop what differs between kinds, which the server checks. */
export interface Verbs {
  list(input: { params: object; query?: object }): Promise<{ items: AnyResource[]; cursor: string | null }>;
  get(input: { params: object }): Promise<AnyResource>;
  put(input: { params: object; body: object; create?: boolean; ifMatch?: string }): Promise<AnyResource>;
  remove(input: { params: object; ifMatch: string }): Promise<unknown>;
}
export function verbsOf(client: Client, name: KindName): Verbs {
  return client[name] as unknown as Verbs;
}

export function paramsOf(name: KindName, tenant: string, resource?: string): object {
  return { ...(kindTable[name].platform ? {} : { tenant }), ...(resource !== undefined && { name: resource }) };
}
