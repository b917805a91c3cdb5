import { type EffectiveProperty, integerBounds, isIntegerType, type Json, type ValueType } from "@penstock/model";

/** The JSON Schema of a property's value as `valueToJson` writes it; null where nothing could be read. */
export function valueSchema({ type, unit }: Pick<EffectiveProperty, "type" | "unit">): Json {
  return { ...schemaOf(type), ...(unit !== null && { "x-unit": unit }) };
}

function schemaOf(type: ValueType): Readonly<Record<string, Json>> {
  if (type === "int64" || type === "uint64") {
    const description = `${type} as decimal text, so that no reader rounds it`;
    return { type: ["string", "null"], pattern: type === "int64" ? "^-?\\d{1,19}$" : "^\\d{1,20}$", description };
  }
  if (isIntegerType(type)) {
    const [minimum, maximum] = integerBounds[type].map(Number) as [number, number];
    return { type: ["integer", "null"], minimum, maximum };
  }
  switch (type) {
    case "bool":
      return { type: ["boolean", "null"] };
    case "float32":
    case "float64":
      return { type: ["number", "null"], description: type };
    case "bytes":
      return { type: ["string", "null"], contentEncoding: "base64" };
    case "json":
      return { description: "any JSON" };
    default:
      return { type: ["string", "null"] };
  }
}
