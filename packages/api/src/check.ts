import { type FieldError, isObject, shown } from "@penstock/model";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Settings } from "typebox/system";

// The default of 8 would hide a device's broken property behind others; the answer itself is cut to 20 fields below.
Settings.Set({ maxErrors: 200 });

/**
 * Holds a value against a schema and says what breaks which rule, in words for people.
 *
 * @param at  path of the value as the user knows it ("spec"); "" for the whole input
 * @returns [] when it fits; else one entry per field: unknown fields by name, unions by the branch that fits best
 */
export function checkShape(schema: TSchema, value: unknown, at = ""): FieldError[] {
  let compiled = cache.get(schema);
  if (compiled === undefined) {
    compiled = Compile(closeRecords(schema) as TSchema);
    cache.set(schema, compiled);
  }
  if (compiled.Check(value)) return [];
  const found = new Map<string, FieldError>();
  for (const issue of chooseBranches(compiled.Errors(value) as Issue[], value)) {
    const path = issue.instancePath.split("/").slice(1).map(unescapePart);
    const field = [at, ...path].filter((part) => part !== "").join(".") || "body";
    const missing = issue.keyword === "required" ? (issue.params.requiredProperties as string[]) : [];
    for (const name of missing) {
      const inner = field === "body" ? name : `${field}.${name}`;
      found.set(`${inner} missing`, { field: inner, value: shown(undefined), rule: "is required" });
    }
    if (missing.length > 0) continue;
    const one = { field, value: shown(follow(value, path), { field }), rule: ruleOf(issue) };
    found.set(`${field} ${one.rule}`, one);
  }
  return [...found.values()].slice(0, 20);
}

/** Issues that only repeat what others say with the field's name. */
const summaries = new Set(["additionalProperties", "anyOf", "propertyNames"]);
const cache = new WeakMap<TSchema, ReturnType<typeof Compile>>();

interface Issue {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A TypeBox record lets keys that miss its pattern pass; ours refuses them, so that no field is silently ignored. */
function closeRecords(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closeRecords);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(schema)) copy[key] = closeRecords(inner);
  if (isObject(copy.patternProperties) && copy.additionalProperties === undefined) {
    copy.propertyNames = { pattern: Object.keys(copy.patternProperties).join("|") };
  }
  return copy;
}

/** Of a union's issues, keeps those of the branch whose type the value has; where none has, says all wanted types. */
function chooseBranches(issues: readonly Issue[], value: unknown): Issue[] {
  const kept: Issue[] = [];
  const unions = new Map<string, Issue[]>();
  for (const issue of issues) {
    const at = issue.schemaPath.indexOf("/anyOf/");
    if (at < 0) {
      if (!summaries.has(issue.keyword)) kept.push(issue);
      continue;
    }
    const prefix = `${issue.schemaPath.slice(0, at)} ${unionInstance(issue, at)}`;
    unions.set(prefix, [...(unions.get(prefix) ?? []), issue]);
  }
  for (const [prefix, group] of unions) {
    const path = prefix.slice(prefix.indexOf(" ") + 1);
    const branches = new Map<string, Issue[]>();
    for (const issue of group) {
      const rest = issue.schemaPath.slice(issue.schemaPath.indexOf("/anyOf/") + 7);
      const branch = rest.split("/")[0]!;
      branches.set(branch, [...(branches.get(branch) ?? []), { ...issue, schemaPath: rest.slice(branch.length) }]);
    }
    const fitting = [...branches.values()].filter(
      (branch) => !branch.some((i) => i.instancePath === path && (i.keyword === "type" || i.keyword === "const")),
    );
    if (fitting.length > 0) kept.push(...chooseBranches(fitting[0]!, value));
    else {
      const wanted = [...branches.values()].map((branch) => ruleOf(branch.find((i) => i.instancePath === path)!));
      kept.push({
        ...group[0]!,
        keyword: "union",
        instancePath: path,
        message: [...new Set(wanted)].join(" or ").replaceAll(/ or must be /g, " or "),
      });
    }
  }
  return kept;
}

/** The place of the value that the union stands for: the shallowest place among issues below it is that or deeper. */
function unionInstance(issue: Issue, at: number): string {
  // Each "properties/x", "patternProperties/x" or "items" step before the union is one step into the value.
  let depth = 0;
  const steps = issue.schemaPath.slice(0, at).split("/");
  for (let i = 1; i < steps.length; i++) {
    if (steps[i] === "properties" || steps[i] === "patternProperties") {
      depth += 1;
      i += 1;
    } else if (steps[i] === "items") depth += 1;
  }
  return issue.instancePath
    .split("/")
    .slice(0, depth + 1)
    .join("/");
}

function ruleOf(issue: Issue): string {
  const { params } = issue;
  switch (issue.keyword) {
    case "boolean":
      return "unknown field";
    case "type":
      return `must be ${params.type === "object" ? "an object" : `of type ${list(params.type)}`}`;
    case "enum":
      return `must be one of ${list(params.allowedValues)}`;
    case "const":
      return `must be ${JSON.stringify(params.allowedValue)}`;
    case "pattern":
      return `${issue.schemaPath.endsWith("/propertyNames") ? "name must" : "must"} match ${String(params.pattern)}`;
    default:
      return issue.message;
  }
}

function list(names: unknown): string {
  return Array.isArray(names) ? names.join(", ") : String(names);
}
function unescapePart(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
function follow(value: unknown, path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<string, unknown>)[key];
  }
  return here;
}
