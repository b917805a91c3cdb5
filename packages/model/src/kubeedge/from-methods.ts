import { limits } from "../limits.ts";
import type { MethodSpec } from "../resources/device.ts";
import { asProperty } from "./adapt-name.ts";
import type { Fields } from "./fields.ts";
import type { KubeEdgeModel } from "./from-model.ts";
import type { KubeEdgeProperty } from "./from-property.ts";

/** A method of KubeEdge is a named way to write some properties: one argument for each. */
export function takeMethods(
  spec: Fields,
  model: KubeEdgeModel,
  properties: Readonly<Record<string, KubeEdgeProperty>>,
): Record<string, MethodSpec> {
  const methods: Record<string, MethodSpec> = {};
  for (const item of spec.list("methods")) {
    const given = item.text("name") ?? "";
    const name = asProperty(given);
    if (name !== given)
      item.tell("name", { level: "note", why: `taken as ${name}: names are letters, digits, - and _` });
    const description = item.text("description");
    const names = item.take("propertyNames");
    const args: NonNullable<MethodSpec["arguments"]> = {};
    const sets: Record<string, string> = {};
    for (const one of Array.isArray(names) ? names : []) {
      const found = model.properties.get(String(one));
      const access = found === undefined ? undefined : (properties[found.name]?.access ?? found.spec.access);
      if (found === undefined || access === "read") {
        const why = found === undefined ? `the model has no property "${one}"` : `property "${one}" cannot be written`;
        item.tell("propertyNames", { level: "lossy", why });
        continue;
      }
      const { type, unit, minimum, maximum } = found.spec;
      args[found.name] = {
        type,
        ...(unit !== undefined && { unit }),
        ...(minimum !== undefined && { minimum }),
        ...(maximum !== undefined && { maximum }),
      };
      sets[found.name] = `\${${found.name}}`;
    }
    if (Object.keys(sets).length === 0) {
      item.tell("name", { level: "lossy", why: "a method that sets nothing is left out" });
      continue;
    }
    methods[name] = {
      ...(description !== undefined && { description: description.slice(0, limits.descriptionChars) }),
      arguments: args,
      sets,
    };
  }
  return methods;
}
