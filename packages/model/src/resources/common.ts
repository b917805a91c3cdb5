import Type, { type Static } from "typebox";
import { dnsLabel } from "../ids.ts";
import { limits } from "../limits.ts";

/** The schemas of DESIGN 5: what people write is checked against these, at the API, in the CLI and at the gateway. */
export const apiVersion = "penstock.dev/v1";
export const kinds = ["Tenant", "User", "Node", "Connection", "DeviceModel", "Device", "Rule"] as const;
export type Kind = (typeof kinds)[number];

export const nameSchema = Type.String({ pattern: dnsLabel.source, maxLength: 63, description: "DNS-1123 label" });

export const labelsSchema = Type.Record(
  Type.String({ pattern: "^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$" }),
  Type.String({ pattern: "^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$", maxLength: limits.labelBytes }),
  { maxProperties: limits.labelsPerResource },
);

/** What a person writes; the server fills the rest. */
export const metadataInput = Type.Object(
  {
    tenant: Type.Optional(nameSchema),
    name: nameSchema,
    displayName: Type.Optional(Type.String({ maxLength: limits.displayNameChars })),
    labels: Type.Optional(labelsSchema),
    // Server-filled fields are accepted on the way in, so that what `get -o yaml` printed can be applied again.
    uid: Type.Optional(Type.String()),
    generation: Type.Optional(Type.Integer()),
    resourceVersion: Type.Optional(Type.String()),
    createdAt: Type.Optional(Type.String()),
    updatedAt: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

/** A stored resource's metadata, complete. Platform kinds (Tenant, User) have no tenant. */
export interface Metadata {
  readonly tenant?: string;
  readonly name: string;
  readonly displayName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly uid: string;
  /** counts changes of spec */
  readonly generation: number;
  /** the ETag; changes with every stored change */
  readonly resourceVersion: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface Resource<K extends Kind = Kind, Spec = unknown, Status = unknown> {
  readonly apiVersion: typeof apiVersion;
  readonly kind: K;
  readonly metadata: Metadata;
  readonly spec: Spec;
  readonly status: Status;
}

/** A duration as people write it: "1s", "250ms", "1h30m". */
export const durationSchema = Type.String({
  pattern: "^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$",
  maxLength: 32,
  description: "duration such as 250ms, 1s, 1h30m",
});

export type MetadataInput = Static<typeof metadataInput>;
