import Type, { type Static } from "typebox";
import { limits } from "../limits.ts";
import { valueTypes } from "../value.ts";
import { durationSchema, nameSchema, type Resource } from "./common.ts";

export const accesses = ["read", "write", "readWrite"] as const;
export type Access = (typeof accesses)[number];

/** Property names appear in topics, URLs and SQL: letters first, no separators of any of the three. */
export const propertyNamePattern = "^[A-Za-z_][A-Za-z0-9_-]{0,62}$";

const jsonObject = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 256 });

/** Bounds: a JSON number, or a decimal string for 64-bit integers beyond 2^53. */
const bound = Type.Union([Type.Number(), Type.String({ pattern: "^-?\\d{1,20}$" })]);

export const propertyFields = {
  type: Type.Enum([...valueTypes]),
  unit: Type.Optional(Type.String({ maxLength: 32, description: "UCUM" })),
  displayName: Type.Optional(Type.String({ maxLength: limits.displayNameChars })),
  access: Type.Optional(Type.Enum([...accesses], { default: "read" })),
  minimum: Type.Optional(bound),
  maximum: Type.Optional(bound),
  visitor: Type.Optional(jsonObject),
  collect: Type.Optional(Type.Object({ every: durationSchema }, { additionalProperties: false })),
  report: Type.Optional(
    Type.Object({ toCloud: Type.Optional(Type.Boolean({ default: true })) }, { additionalProperties: false }),
  ),
  publish: Type.Optional(
    Type.Object(
      {
        topic: Type.String({ minLength: 1, maxLength: 512 }),
        qos: Type.Optional(Type.Union([Type.Literal(0), Type.Literal(1)])),
      },
      { additionalProperties: false },
    ),
  ),
};
export const propertySchema = Type.Object(propertyFields, { additionalProperties: false });
export type PropertySpec = Static<typeof propertySchema>;

const properties = Type.Record(Type.String({ pattern: propertyNamePattern }), propertySchema, {
  minProperties: 0,
  maxProperties: limits.propertiesPerDevice,
});

/** connection: the name of a Connection, or one inline for a device that shares nothing. */
export const inlineConnectionSchema = Type.Object(
  { protocol: nameSchema, settings: Type.Optional(jsonObject) },
  { additionalProperties: false },
);

export const deviceSpecSchema = Type.Object(
  {
    node: nameSchema,
    connection: Type.Union([nameSchema, inlineConnectionSchema]),
    model: Type.Optional(nameSchema),
    address: Type.Optional(jsonObject),
    properties: Type.Optional(properties),
    custom: Type.Optional(jsonObject),
  },
  { additionalProperties: false },
);
export type DeviceSpec = Static<typeof deviceSpecSchema>;

/** A model's property may leave out everything but its type; the device's own fields win, field by field. */
export const deviceModelSpecSchema = Type.Object(
  { address: Type.Optional(jsonObject), properties, custom: Type.Optional(jsonObject) },
  { additionalProperties: false },
);
export type DeviceModelSpec = Static<typeof deviceModelSpecSchema>;

/** In a device with a model a property may override any field and need not repeat the type. */
export const propertyOverrideSchema = Type.Partial(propertySchema);

export const connectionSpecSchema = Type.Object(
  { node: nameSchema, protocol: nameSchema, settings: Type.Optional(jsonObject) },
  { additionalProperties: false },
);
export type ConnectionSpec = Static<typeof connectionSpecSchema>;

export const nodeSpecSchema = Type.Object(
  { timeZone: Type.Optional(Type.String({ maxLength: 64, description: "IANA time zone", default: "UTC" })) },
  { additionalProperties: false },
);
export type NodeSpec = Static<typeof nodeSpecSchema>;

export const tenantSpecSchema = Type.Object(
  { retention: Type.Optional(durationSchema) },
  { additionalProperties: false },
);
export type TenantSpec = Static<typeof tenantSpecSchema>;

export interface NodeStatus {
  readonly connected: boolean;
  readonly lastSeenAt: string | null;
  readonly agentVersion: string | null;
  readonly joined: boolean;
  /** what waits at the gateway, as it last said */
  readonly outbox: {
    readonly readings: number;
    readonly bytes: number;
    readonly oldestAgeMs: number;
    readonly dropped: number;
    /** since the agent started */
    readonly refused: number;
    readonly full: boolean;
  } | null;
  /** what the agent dropped or refused since it started, by metric name; empty when nothing or not heard of */
  readonly counters: Readonly<Record<string, number>>;
  readonly certificateExpiresAt: string | null;
}
export interface DeviceStatus {
  /** derived from link and mapper */
  readonly state: "online" | "offline" | "unknown";
  readonly reason: string | null;
  readonly lastReadingAt: string | null;
}

export type TenantResource = Resource<"Tenant", TenantSpec, Record<string, never>>;
export type NodeResource = Resource<"Node", NodeSpec, NodeStatus>;
export type ConnectionResource = Resource<"Connection", ConnectionSpec, Record<string, never>>;
export type DeviceModelResource = Resource<"DeviceModel", DeviceModelSpec, Record<string, never>>;
export type DeviceResource = Resource<"Device", DeviceSpec, DeviceStatus>;
