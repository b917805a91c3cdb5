import { type EffectiveDevice, type EffectiveProperty, type Json, kubeEdgeType, qualities } from "@penstock/model";
import { valueSchema } from "./value-schema.ts";

const time: Json = { type: "string", format: "date-time", description: "RFC 3339 in UTC, microseconds" };
const milliseconds: Json = { type: "integer", description: "milliseconds since 1970 UTC" };
const reason: Json = { type: ["string", "null"], description: "code of the error table" };
const quality: Json = { enum: [...qualities] };

/** Of `encodeFlatData`. */
export function flatSchema(properties: readonly EffectiveProperty[]): Json {
  const values = Object.fromEntries(properties.map((property) => [property.name, valueSchema(property)]));
  const isNotGood = { type: "object", properties: { is: { enum: ["uncertain", "bad"] }, reason }, required: ["is"] };
  return {
    type: "object",
    required: ["time", "values"],
    properties: {
      time,
      values: { type: "object", properties: values, description: "what was read in this cycle" },
      quality: { type: "object", additionalProperties: isNotGood, description: "by property, where it is not good" },
    },
  };
}

/** Of `encodeKubeEdgeData`. */
export function kubeEdgeSchema({ properties }: EffectiveDevice): Json {
  const data = properties.map(({ name, type }): [string, Json] => {
    const metadata = { type: "object", properties: { timestamp: milliseconds, type: { const: kubeEdgeType[type] } } };
    const value = { type: "string", description: `${type} as text` };
    return [name, { type: "object", properties: { value, metadata }, required: ["value", "metadata"] }];
  });
  return {
    type: "object",
    required: ["event_id", "timestamp", "data"],
    properties: {
      event_id: { type: "string" },
      timestamp: milliseconds,
      data: { type: "object", properties: Object.fromEntries(data) },
    },
  };
}

/** Of `encodeTags`. */
export function tagsSchema({ properties }: EffectiveDevice): Json {
  const tags = properties.map((property): Json => {
    const { name, unit } = property;
    const fields = { name: { const: name }, value: valueSchema(property), timestamp: time, quality, reason };
    return {
      type: "object",
      required: ["name", "value", "timestamp", "quality"],
      properties: { ...fields, ...(unit !== null && { unit: { const: unit } }) },
    };
  });
  return { type: "array", items: { anyOf: tags } };
}
