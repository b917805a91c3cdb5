import type { SettingsRule } from "@penstock/model";
import { float, oneOf, type Settings, text } from "./field.ts";
import { jsonPathPattern } from "./json-path.ts";

/** How a value lies in what a device sends as text, bytes or JSON; for mappers whose devices speak in documents. */
export function payloadFields() {
  return {
    format: oneOf(["json", "text", "bytes"], {
      default: "json",
      summary: "What is sent: JSON; a text that is the value; or bytes as they are, for type bytes",
    }),
    path: text({
      pattern: jsonPathPattern,
      default: "$",
      example: "$.rooms[0].temperature",
      summary:
        "Where in the JSON the value stands: names after dots, [n] in lists from 0, ['any name']; $ is all of it",
    }),
    scale: float({ default: 1, summary: "Value = number there × scale + offset" }),
    offset: float({ default: 0, summary: "See scale" }),
    on: text({ optional: true, maxLength: 64, example: "ON", summary: "For type bool: what stands for true" }),
    off: text({ optional: true, maxLength: 64, example: "OFF", summary: "For type bool: what stands for false" }),
  };
}
export type PayloadSettings = Settings<ReturnType<typeof payloadFields>>;

export function payloadRules(): SettingsRule[] {
  return [
    {
      when: { field: "visitor.format", in: ["bytes"] },
      types: ["bytes"],
      refuse: ["visitor.path", "visitor.scale", "visitor.offset", "visitor.on", "visitor.off"],
      because: "bytes are taken as they are",
    },
    {
      when: { field: "visitor.format", in: ["text"] },
      refuse: ["visitor.path"],
      because: "a path leads into JSON only",
    },
  ];
}

/** A password or a token: forms do not show it. Name the field so that it holds "password", "secret", "token" or "privateKey". */
export function secret(options: { readonly summary: string; readonly maxLength?: number }) {
  const { schema, optional } = text({ optional: true, ...options });
  return { schema: { ...schema, format: "password" }, optional } as ReturnType<
    typeof text<{ readonly optional: true }>
  >;
}
