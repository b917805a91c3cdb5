import Type, { type Static } from "typebox";
import { limits } from "../limits.ts";

/** The forms in which a device's cycle goes to applications at the edge. */
export const mqttFormats = ["flat", "kubeedge", "tags", "sparkplug"] as const;
export type MqttFormat = (typeof mqttFormats)[number];

const filters = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: limits.topicBytes }), {
      ...{ maxItems: limits.mqttFiltersPerUser, uniqueItems: true, description },
    }),
  );
const password = (minLength: number) => Type.String({ minLength, maxLength: 256, description: "kept sealed" });

/** No level of a topic, no wildcard and no mark of a filter is in a user's name. */
export const mqttUserPattern = "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$";

const userSchema = Type.Object(
  {
    password: password(8),
    publish: filters("filters of topics to publish to, %u is the user's name; none unless stated"),
    subscribe: filters("filters to subscribe to, %u is the user's name; all unless stated"),
  },
  { additionalProperties: false },
);

/** MQTT at a gateway: who may log in and do what, in which forms devices are published, and by which broker. */
export const mqttSpecSchema = Type.Object(
  {
    anonymous: Type.Optional(
      Type.Enum(["subscribe", "none"], {
        default: "subscribe",
        description: "what a client without a login may; it never may publish",
      }),
    ),
    users: Type.Optional(
      Type.Record(Type.String({ pattern: mqttUserPattern }), userSchema, { maxProperties: limits.mqttUsers }),
    ),
    formats: Type.Optional(
      Type.Array(Type.Enum([...mqttFormats]), { uniqueItems: true, description: "flat and kubeedge unless stated" }),
    ),
    retain: Type.Optional(
      Type.Boolean({ default: false, description: "a late subscriber gets the last message of each topic at once" }),
    ),
    sparkplug: Type.Optional(
      Type.Object(
        {
          group: Type.Optional(
            Type.String({ pattern: "^[^/+#\\u0000-\\u001f]{1,64}$", description: "the tenant's name unless stated" }),
          ),
          writes: Type.Optional(
            Type.Boolean({ default: false, description: "DCMD sets properties, each by its localWrites" }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    broker: Type.Optional(
      Type.Object(
        {
          url: Type.String({ pattern: "^mqtts?://[^\\s@/?#]+/?$", maxLength: 512 }),
          user: Type.Optional(Type.String({ maxLength: 256 })),
          password: Type.Optional(password(1)),
        },
        { additionalProperties: false, description: "another program's broker instead of the embedded one" },
      ),
    ),
  },
  { additionalProperties: false },
);
export type MqttSpec = Static<typeof mqttSpecSchema>;

/** As the gateway gets it. */
export interface EffectiveMqtt {
  readonly anonymous: "subscribe" | "none";
  readonly users: readonly MqttUser[];
  readonly formats: readonly MqttFormat[];
  readonly retain: boolean;
  readonly sparkplug: { readonly group: string | null; readonly writes: boolean };
  /** null: the embedded one */
  readonly broker: MqttBroker | null;
}
export interface MqttUser {
  readonly name: string;
  readonly password: string;
  /** with the user's name filled in */
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}
export interface MqttBroker {
  readonly url: string;
  readonly user: string | null;
  readonly password: string | null;
}
