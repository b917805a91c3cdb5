import Type, { type Static } from "typebox";
import { limits } from "../limits.ts";
import { alarmActionSchema, ruleConditionSchema } from "./alarm-action.ts";
import { durationSchema, labelsSchema, nameSchema, type Resource } from "./common.ts";
import { propertyNamePattern } from "./device.ts";
import { ruleLookupSchema } from "./rule-lookup.ts";
import { account, headers, secret, strict, tableName, template, url } from "./rule-parts.ts";

/**
 * A rule: SQL over what gateways collect, and what is done with each result. It runs at gateways, also while the cloud is
 * away. Texts of actions may hold `${column}`, the value of that column of the result.
 */

/** How results go to whoever is not the gateway itself: together or one by one, how often again, and where they wait meanwhile. */
const delivery = {
  /** each: one message a row; list: one message with all rows of a result */
  send: Type.Optional(Type.Union([Type.Literal("each"), Type.Literal("list")], { default: "each" })),
  /** the columns that go, in this order; none: all */
  fields: Type.Optional(Type.Array(Type.String({ maxLength: 256 }), { minItems: 1, maxItems: limits.ruleFields })),
  /** the message instead of JSON */
  template: Type.Optional(template(limits.ruleTemplateChars)),
  /** rows go together, `rows` of them or after `linger`, whichever is first */
  batch: Type.Optional(
    Type.Object(
      {
        rows: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.ruleBatchRows, default: 1 })),
        linger: Type.Optional(durationSchema),
      },
      { additionalProperties: false },
    ),
  ),
  /** a message that cannot be delivered is tried again with growing pauses; without end where `attempts` is left out and it is cached */
  retry: Type.Optional(
    Type.Object(
      {
        attempts: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
        first: Type.Optional(durationSchema),
        longest: Type.Optional(durationSchema),
      },
      { additionalProperties: false },
    ),
  ),
  /** on disk, while nobody can be reached; when it is full the oldest go and are counted */
  cache: Type.Optional(
    Type.Object(
      {
        bytes: Type.Optional(Type.Integer({ minimum: 65_536, maximum: limits.ruleCacheBytes, default: 16_777_216 })),
        /** after an outage: what waited first, or what is new first */
        order: Type.Optional(
          Type.Union([Type.Literal("oldest-first"), Type.Literal("newest-first")], { default: "oldest-first" }),
        ),
      },
      { additionalProperties: false },
    ),
  ),
  /** topic at the gateway's broker for what was given up, with the reason */
  deadLetter: Type.Optional(template(512)),
} as const;

/** a value set at a device, as if somebody at the gateway had set it; holds until released where the property says so */
const write = Type.Object(
  {
    device: template(256),
    property: template(64),
    /** "${column}" alone keeps the column's type */
    value: Type.Unknown(),
    ttl: Type.Optional(durationSchema),
  },
  strict,
);
/** a method of a device, called at most once for each result */
const call = Type.Object(
  {
    device: template(256),
    method: template(64),
    arguments: Type.Optional(
      Type.Record(Type.String({ pattern: propertyNamePattern }), Type.Unknown(), {
        maxProperties: limits.argumentsPerMethod,
      }),
    ),
    ttl: Type.Optional(durationSchema),
  },
  strict,
);
/** what an alarm may do at its gateway */
const act = Type.Object(
  { write: Type.Optional(write), call: Type.Optional(call) },
  { additionalProperties: false, minProperties: 1, maxProperties: 1 },
);
/** One action is an object with one key, its kind. */
const actionFields = {
  /** a line in the gateway's log */
  log: Type.Object(
    { level: Type.Optional(Type.Union([Type.Literal("debug"), Type.Literal("info"), Type.Literal("warn")])) },
    strict,
  ),
  /** to the gateway's broker, or to another */
  mqtt: Type.Object(
    {
      topic: template(512),
      qos: Type.Optional(Type.Union([Type.Literal(0), Type.Literal(1)])),
      retain: Type.Optional(Type.Boolean({ default: false })),
      broker: Type.Optional(Type.Object({ url: url("^mqtts?://"), ...account }, strict)),
      ...delivery,
    },
    strict,
  ),
  /** columns become readings of the calculated properties of a device, and go the way of all readings */
  series: Type.Object(
    {
      device: template(256),
      /** property by column; left out: every column is the property of its name */
      properties: Type.Optional(
        Type.Record(Type.String({ maxLength: 256 }), Type.String({ pattern: propertyNamePattern }), {
          maxProperties: limits.ruleFields,
        }),
      ),
      /** column with the source time, a datetime or milliseconds; left out: when the result was computed */
      time: Type.Optional(Type.String({ maxLength: 256 })),
    },
    strict,
  ),
  write,
  call,
  /** stands, is acknowledged, is over; decided at the gateway, kept in the cloud */
  alarm: alarmActionSchema(act),
  /** a stream of this name for other rules of the gateway; never leaves its memory */
  memory: Type.Object({ stream: nameSchema }, strict),
  http: Type.Object(
    {
      url: template(2048),
      method: Type.Optional(
        Type.Union([Type.Literal("POST"), Type.Literal("PUT"), Type.Literal("PATCH")], { default: "POST" }),
      ),
      headers: Type.Optional(headers),
      token: Type.Optional(secret),
      timeout: Type.Optional(durationSchema),
      ...delivery,
    },
    strict,
  ),
  influx: Type.Object(
    {
      url: url("^https?://"),
      /** InfluxDB 2 and 3 */
      org: Type.Optional(Type.String({ maxLength: 256 })),
      bucket: Type.String({ maxLength: 256 }),
      token: Type.Optional(secret),
      measurement: template(256),
      /** columns that are tags; the others are fields */
      tags: Type.Optional(Type.Array(Type.String({ maxLength: 256 }), { maxItems: 64 })),
      time: Type.Optional(Type.String({ maxLength: 256 })),
      ...delivery,
    },
    strict,
  ),
  redis: Type.Object(
    {
      url: url("^rediss?://"),
      ...account,
      key: template(1024),
      as: Type.Optional(
        Type.Union(
          [
            Type.Literal("string"),
            Type.Literal("list"),
            Type.Literal("hash"),
            Type.Literal("stream"),
            Type.Literal("publish"),
          ],
          {
            default: "string",
          },
        ),
      ),
      expire: Type.Optional(durationSchema),
      ...delivery,
    },
    strict,
  ),
  sql: Type.Object(
    {
      url: url("^(postgres|postgresql|mysql)://"),
      ...account,
      table: tableName,
      ...delivery,
    },
    strict,
  ),
  /** lines of JSON or CSV in a folder of the gateway's data; rolled by size and age, the oldest go */
  file: Type.Object(
    {
      name: template(128),
      format: Type.Optional(Type.Union([Type.Literal("json"), Type.Literal("csv")], { default: "json" })),
      rollBytes: Type.Optional(Type.Integer({ minimum: 4096, maximum: limits.ruleCacheBytes })),
      /** a file is no longer written to after so long */
      rollEvery: Type.Optional(durationSchema),
      /** files of one name, the one that is written to among them */
      keep: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      ...delivery,
    },
    strict,
  ),
} as const;
export type RuleActionKind = keyof typeof actionFields;
export const ruleActionKinds = Object.keys(actionFields) as readonly RuleActionKind[];

const actionSchema = Type.Object(
  Object.fromEntries(
    Object.entries(actionFields).map(([kind, schema]) => [kind, Type.Optional(schema)]),
  ) as unknown as { [K in RuleActionKind]: ReturnType<typeof Type.Optional<(typeof actionFields)[K]>> },
  { additionalProperties: false, minProperties: 1, maxProperties: 1 },
);
export type RuleActionSpec = Static<typeof actionSchema>;
/** settings of one kind of action */
export type RuleActionOf<K extends RuleActionKind> = Static<(typeof actionFields)[K]>;

/** Where rows come from that are not a device's: a name for SQL, and what brings its rows. */
const sourceSchema = Type.Object(
  {
    mqtt: Type.Optional(
      Type.Object(
        {
          topic: Type.String({ maxLength: 512 }),
          broker: Type.Optional(Type.Object({ url: url("^mqtts?://"), ...account }, strict)),
        },
        strict,
      ),
    ),
    http: Type.Optional(
      Type.Object(
        {
          url: url("^https?://"),
          every: durationSchema,
          headers: Type.Optional(headers),
          token: Type.Optional(secret),
        },
        strict,
      ),
    ),
    file: Type.Optional(
      Type.Object(
        {
          name: Type.String({ maxLength: 128 }),
          format: Type.Optional(Type.Union([Type.Literal("json"), Type.Literal("csv")])),
        },
        strict,
      ),
    ),
    memory: Type.Optional(Type.Object({}, strict)),
    /** a table that is asked row by row, to be joined: Redis, a database or an HTTP server */
    lookup: Type.Optional(ruleLookupSchema),
    /** eKuiper's column list: "a bigint, b float"; left out: whatever comes */
    columns: Type.Optional(Type.String({ maxLength: limits.sqlChars })),
    /** column with the row's time; left out: when it came */
    timestamp: Type.Optional(Type.String({ maxLength: 256 })),
    /** a table of the last rows instead of a stream; `key`: the last row of each value of that column */
    table: Type.Optional(
      Type.Object(
        {
          rows: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.windowRows })),
          key: Type.Optional(Type.String({ maxLength: 256 })),
        },
        strict,
      ),
    ),
  },
  { additionalProperties: false },
);
export type RuleSourceSpec = Static<typeof sourceSchema>;

export const ruleSpecSchema = Type.Object(
  {
    /** gateways by name, or by the labels of their Node */
    nodes: Type.Union([
      Type.Array(nameSchema, { minItems: 1, maxItems: limits.nodesPerRule, uniqueItems: true }),
      Type.Object({ labels: labelsSchema }, strict),
    ]),
    sql: Type.Optional(Type.String({ minLength: 1, maxLength: limits.sqlChars })),
    /** instead of SQL: what is watched, for alarms */
    condition: Type.Optional(ruleConditionSchema),
    /** strict: as people who know SQL expect; compat: as eKuiper reads it, quirk by quirk */
    mode: Type.Optional(Type.Union([Type.Literal("strict"), Type.Literal("compat")], { default: "strict" })),
    state: Type.Optional(Type.Union([Type.Literal("running"), Type.Literal("stopped")], { default: "running" })),
    description: Type.Optional(Type.String({ maxLength: limits.descriptionChars })),
    /** by which time windows close; left out: when rows come */
    eventTime: Type.Optional(
      Type.Object(
        {
          lateTolerance: Type.Optional(durationSchema),
          /** a source that is silent so long no longer holds up the others */
          idleAfter: Type.Optional(durationSchema),
        },
        strict,
      ),
    ),
    sources: Type.Optional(
      Type.Record(Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_-]{0,62}$" }), sourceSchema, {
        maxProperties: limits.sourcesPerRule,
      }),
    ),
    actions: Type.Array(actionSchema, { minItems: 1, maxItems: limits.actionsPerRule }),
  },
  { additionalProperties: false },
);
export type RuleSpec = Static<typeof ruleSpecSchema>;

/** How a rule is at one gateway. */
export interface RuleNodeStatus {
  readonly node: string;
  /** unknown: the gateway has not said; waiting: it does not have this generation yet */
  readonly state: "running" | "stopped" | "refused" | "failed" | "waiting" | "unknown";
  readonly generation: number | null;
  readonly reason: string | null;
  readonly message: string | null;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly errors: number;
  readonly lastError: string | null;
}
export interface RuleStatusOfAll {
  readonly nodes: RuleNodeStatus[];
}
export type RuleResource = Resource<"Rule", RuleSpec, RuleStatusOfAll>;
