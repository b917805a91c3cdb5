import Type, { type Static } from "typebox";
import type { FieldError } from "../errors.ts";
import { limits } from "../limits.ts";
import { valueTypes } from "../value.ts";
import { durationSchema, nameSchema, type Resource } from "./common.ts";
import type { LineLoad } from "./line.ts";
import { lineSchema } from "./line.ts";
import { mqttSpecSchema } from "./mqtt.ts";

export const accesses = ["read", "write", "readWrite"] as const;
export type Access = (typeof accesses)[number];

/** Property names appear in topics, URLs and SQL: letters first, no separators of any of the three. */
export const propertyNamePattern = "^[A-Za-z_][A-Za-z0-9_-]{0,62}$";

const jsonObject = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 256 });

/** A time of day in the node's time zone: "06:00", "23:59:30". */
const timeOfDaySchema = Type.String({
  pattern: "^([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d)?$",
  description: "time of day such as 06:00 or 23:59:30, in the node's time zone",
});
/** Either every so often, or at these times of day; which of the two `checkProperty` demands. */
const cadenceFields = {
  every: Type.Optional(durationSchema),
  at: Type.Optional(Type.Array(timeOfDaySchema, { minItems: 1, maxItems: limits.timesOfDay, uniqueItems: true })),
};

/**
 * A change smaller than this is none: `absolute` in the property's unit, `percent` of its range (maximum − minimum).
 *
 * @source OPC 10000-8 v1.05, 6.2: PercentDeadband is of the EURange
 */
const deadbandSchema = Type.Object(
  {
    absolute: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    percent: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100 })),
  },
  { additionalProperties: false, minProperties: 1, maxProperties: 1 },
);

/**
 * What of the readings goes to the cloud. Without `every`, `at` and `onChange`: every reading. `every`/`at`: the first
 * reading of each period. `onChange`: readings that differ from the last reported one by the dead band, or in quality or
 * reason; `atLeast` then is the heartbeat. Both: a change at once, and the period's reading besides.
 */
const reportSchema = Type.Object(
  {
    toCloud: Type.Optional(Type.Boolean({ default: true })),
    ...cadenceFields,
    onChange: Type.Optional(Type.Object({ deadband: Type.Optional(deadbandSchema) }, { additionalProperties: false })),
    atLeast: Type.Optional(durationSchema),
  },
  { additionalProperties: false },
);

/**
 * Who may set a property at the gateway itself. refuse: nobody. yield: a local value is written, and the next desired
 * value of the cloud replaces it. hold: a local value holds until it is released; the cloud's waits and says who holds.
 */
const localWritePolicies = ["refuse", "yield", "hold"] as const;
export type LocalWritePolicy = (typeof localWritePolicies)[number];

/** Bounds: a JSON number, or a decimal string for 64-bit integers beyond 2^53. */
const bound = Type.Union([Type.Number(), Type.String({ pattern: "^-?\\d{1,20}$" })]);

const propertyFields = {
  type: Type.Enum([...valueTypes]),
  unit: Type.Optional(Type.String({ maxLength: 32, description: "UCUM" })),
  displayName: Type.Optional(Type.String({ maxLength: limits.displayNameChars })),
  description: Type.Optional(Type.String({ maxLength: limits.descriptionChars })),
  access: Type.Optional(Type.Enum([...accesses], { default: "read" })),
  minimum: Type.Optional(bound),
  maximum: Type.Optional(bound),
  visitor: Type.Optional(jsonObject),
  collect: Type.Optional(
    Type.Object(
      {
        ...cadenceFields,
        subscribe: Type.Optional(
          Type.Literal(true, { description: "The device tells its changes; nothing is polled" }),
        ),
      },
      { additionalProperties: false },
    ),
  ),
  report: Type.Optional(reportSchema),
  publish: Type.Optional(
    Type.Object(
      {
        topic: Type.String({ minLength: 1, maxLength: 512 }),
        qos: Type.Optional(Type.Union([Type.Literal(0), Type.Literal(1)])),
      },
      { additionalProperties: false },
    ),
  ),
  localWrites: Type.Optional(Type.Enum([...localWritePolicies], { default: "refuse" })),
  /** rules give its readings: it is never collected, and nobody sets it */
  calculated: Type.Optional(Type.Boolean({ default: false, description: "Rules give its readings" })),
  /** two properties that lie in the same place of the device are refused unless one of them says that it is meant */
  mayOverlap: Type.Optional(Type.Boolean({ default: false })),
  /** handed to the mapper as it is: 64-bit integers, lists, nested objects */
  custom: Type.Optional(jsonObject),
};
export const propertySchema = Type.Object(propertyFields, { additionalProperties: false });
export type PropertySpec = Static<typeof propertySchema>;

const properties = Type.Record(Type.String({ pattern: propertyNamePattern }), propertySchema, {
  minProperties: 0,
  maxProperties: limits.propertiesPerDevice,
});

const argumentSchema = Type.Object(
  {
    type: Type.Enum([...valueTypes]),
    unit: Type.Optional(Type.String({ maxLength: 32, description: "UCUM" })),
    description: Type.Optional(Type.String({ maxLength: limits.descriptionChars })),
    minimum: Type.Optional(bound),
    maximum: Type.Optional(bound),
    optional: Type.Optional(Type.Boolean({ default: false })),
  },
  { additionalProperties: false },
);

/**
 * An act of the device, sent at most once. Either the mapper knows how (`visitor`, by its schema of methods), or it sets
 * properties one after the other (`sets`): a value, or "${argument}".
 */
const methodSchema = Type.Object(
  {
    displayName: Type.Optional(Type.String({ maxLength: limits.displayNameChars })),
    description: Type.Optional(Type.String({ maxLength: limits.descriptionChars })),
    arguments: Type.Optional(
      Type.Record(Type.String({ pattern: propertyNamePattern }), argumentSchema, {
        maxProperties: limits.argumentsPerMethod,
      }),
    ),
    result: Type.Optional(
      Type.Object(
        { type: Type.Enum([...valueTypes]), unit: Type.Optional(Type.String({ maxLength: 32 })) },
        { additionalProperties: false },
      ),
    ),
    timeout: Type.Optional(durationSchema),
    visitor: Type.Optional(jsonObject),
    sets: Type.Optional(
      Type.Record(Type.String({ pattern: propertyNamePattern }), Type.Unknown(), {
        maxProperties: limits.argumentsPerMethod,
      }),
    ),
  },
  { additionalProperties: false },
);
export type MethodSpec = Static<typeof methodSchema>;

const methods = Type.Record(Type.String({ pattern: propertyNamePattern }), methodSchema, {
  maxProperties: limits.methodsPerDevice,
});

/** How long nothing may be heard of a device before it counts as offline. */
const presenceSchema = Type.Object({ offlineAfter: Type.Optional(durationSchema) }, { additionalProperties: false });

/** connection: the name of a Connection, or one inline for a device that shares nothing. */
const inlineConnectionSchema = Type.Object(
  { protocol: nameSchema, settings: Type.Optional(jsonObject), line: Type.Optional(lineSchema) },
  { additionalProperties: false },
);

export const deviceSpecSchema = Type.Object(
  {
    node: nameSchema,
    connection: Type.Union([nameSchema, inlineConnectionSchema]),
    model: Type.Optional(nameSchema),
    address: Type.Optional(jsonObject),
    properties: Type.Optional(properties),
    methods: Type.Optional(methods),
    presence: Type.Optional(presenceSchema),
    description: Type.Optional(Type.String({ maxLength: limits.descriptionChars })),
    custom: Type.Optional(jsonObject),
  },
  { additionalProperties: false },
);
export type DeviceSpec = Static<typeof deviceSpecSchema>;

/** A model's property may leave out everything but its type; the device's own fields win, field by field. */
export const deviceModelSpecSchema = Type.Object(
  {
    /** the mapper that its visitors are for; a device on another is refused. None: any */
    protocol: Type.Optional(nameSchema),
    address: Type.Optional(jsonObject),
    properties,
    methods: Type.Optional(methods),
    presence: Type.Optional(presenceSchema),
    description: Type.Optional(Type.String({ maxLength: limits.descriptionChars })),
    custom: Type.Optional(jsonObject),
  },
  { additionalProperties: false },
);
export type DeviceModelSpec = Static<typeof deviceModelSpecSchema>;

/** In a device with a model a property may override any field and need not repeat the type. */
export const propertyOverrideSchema = Type.Partial(propertySchema, { additionalProperties: false });

export const connectionSpecSchema = Type.Object(
  {
    node: nameSchema,
    protocol: nameSchema,
    settings: Type.Optional(jsonObject),
    line: Type.Optional(lineSchema),
    description: Type.Optional(Type.String({ maxLength: limits.descriptionChars })),
  },
  { additionalProperties: false },
);
export type ConnectionSpec = Static<typeof connectionSpecSchema>;

export const nodeSpecSchema = Type.Object(
  {
    timeZone: Type.Optional(Type.String({ maxLength: 64, description: "IANA time zone", default: "UTC" })),
    mqtt: Type.Optional(mqttSpecSchema),
  },
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
  /** one sentence for people; null while all is well */
  readonly message: string | null;
  /** since when it is in this state, as far as this server knows */
  readonly since: string | null;
  readonly lastReadingAt: string | null;
  /** collect cycles as they really run; empty until the gateway has said so */
  readonly cycles: {
    /** "every 1s", "at 06:00, 18:00" */
    readonly cadence: string;
    readonly properties: number;
    /** mean over the last minute */
    readonly measuredMs: number | null;
    readonly longestMs: number | null;
    /** of reports to the cloud, over the last minute; null = none was due */
    readonly reportMs: number | null;
    readonly overruns: number;
    /** it cannot keep its cadence now */
    readonly isOverrun: boolean;
  }[];
  /** what breaks a rule of the mapper that its gateway has now; it was checked by another when it was stored */
  readonly findings: FieldError[];
}
export interface ConnectionStatus {
  /** "idle": no device uses it */
  readonly state: "up" | "down" | "idle" | "unknown";
  readonly reason: string | null;
  readonly message: string | null;
  readonly load: LineLoad;
}

export type NodeResource = Resource<"Node", NodeSpec, NodeStatus>;
export type DeviceModelResource = Resource<"DeviceModel", DeviceModelSpec, Record<string, never>>;
export type DeviceResource = Resource<"Device", DeviceSpec, DeviceStatus>;
