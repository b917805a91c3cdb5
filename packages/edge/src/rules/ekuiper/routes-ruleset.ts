import { AppError, isObject } from "@penstock/model";
import type { Catalogue } from "./catalogue.ts";
import { sourcesOf } from "./from-ekuiper.ts";
import type { Imported, LocalEngine } from "./local-engine.ts";
import type { Reply } from "./rest-request.ts";
import type { RestRoute } from "./rest-routes.ts";

/** Parts of an export that have no equal here; they must be empty. */
const otherParts = [
  ...["nativePlugins", "portablePlugins", "sourceConfig", "sinkConfig", "connectionConfig", "Service", "Schema"],
  ...["uploads", "scripts"],
];
const empty = Object.fromEntries(otherParts.map((part) => [part, {}]));
/** what the last import of each gateway process could not take */
const lastFailed = new WeakMap<LocalEngine, object>();

/** Streams, tables and rules in one file, in and out. Passwords stand in it, as in eKuiper's. */
export const rulesetRoutes: readonly RestRoute[] = [
  { methods: ["POST"], path: "/ruleset/export", handle: ({ engine }) => exported(engine.catalogue) },
  {
    ...{ methods: ["POST"], path: "/ruleset/import" },
    async handle({ engine }, { body }) {
      const { set } = contentOf(body);
      const imported = await engine.import(set, { isNew: false, overwrites: false });
      remember(engine, imported, {});
      const { streams, tables, rules } = imported.counts;
      return {
        status: 200,
        text: `imported ${streams} streams, ${tables} tables and ${rules} rules${failures(imported)}`,
      };
    },
  },
  { methods: ["GET"], path: "/data/export", handle: ({ engine }) => exported({ ...engine.catalogue, ...empty }) },
  {
    ...{ methods: ["POST"], path: "/data/export" },
    handle({ engine }, { body }) {
      if (!Array.isArray(body)) throw new AppError("input/invalid", "Invalid body: it must be a list of ids of rules");
      return exported({ ...partOf(engine.catalogue, new Set(body.map(String))), ...empty });
    },
  },
  {
    ...{ methods: ["POST"], path: "/data/import" },
    async handle({ engine }, { body, query }) {
      const { set, others } = contentOf(body);
      const imported = await engine.import(set, { isNew: query.get("partial") !== "1", overwrites: true });
      remember(engine, imported, others);
      const hasFailed = failures(imported) !== "" || Object.keys(others).length > 0;
      if (!hasFailed) return { status: 200, text: "" };
      return {
        status: 400,
        json: { ErrorMsg: `Some of it is not taken${failures(imported)}`, ConfigResponse: statusOf(engine) },
      };
    },
  },
  { methods: ["GET"], path: "/data/import/status", handle: ({ engine }) => ({ status: 200, json: statusOf(engine) }) },
];

function exported(content: object): Reply {
  return { status: 200, text: JSON.stringify(content), type: "application/octet-stream", file: "ekuiper_export.json" };
}

/** The rules, and the streams and tables that they read. */
function partOf({ streams, tables, rules }: Catalogue, ids: ReadonlySet<string>): Catalogue {
  const chosen = Object.entries(rules).filter(([id]) => ids.has(id));
  const read = new Set(chosen.flatMap(([, text]) => sourcesOf(String((JSON.parse(text) as { sql?: unknown }).sql))));
  const only = (all: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => read.has(name)));
  return { streams: only(streams), tables: only(tables), rules: Object.fromEntries(chosen) };
}

/** @throws AppError input/invalid */
function contentOf(body: unknown): { readonly set: Catalogue; readonly others: Readonly<Record<string, string>> } {
  const { content, file } = isObject(body) ? body : {};
  if (file !== undefined)
    throw new AppError("input/invalid", "Invalid body: this gateway reads no files for others: give the content");
  if (typeof content !== "string") throw new AppError("input/invalid", "Invalid body: must specify content");
  let given: unknown;
  try {
    given = JSON.parse(content);
  } catch (cause) {
    throw new AppError("input/invalid", "Invalid body: content is not JSON", { cause });
  }
  if (!isObject(given)) throw new AppError("input/invalid", "Invalid body: content must be an object");
  const part = (name: string) => {
    const value = given[name] ?? {};
    if (isObject(value) && Object.values(value).every((one) => typeof one === "string"))
      return value as Record<string, string>;
    throw new AppError("input/invalid", `Invalid body: ${name} must be texts by their names`);
  };
  const others = otherParts.filter((name) => isObject(given[name]) && Object.keys(given[name]).length > 0);
  return {
    set: { streams: part("streams"), tables: part("tables"), rules: part("rules") },
    others: Object.fromEntries(others.map((name) => [name, "this gateway has no such thing: it is left out"])),
  };
}

function remember(engine: LocalEngine, { failed }: Imported, others: Readonly<Record<string, string>>): void {
  lastFailed.set(engine, { ...empty, ...failed, ...others });
}
function statusOf(engine: LocalEngine): object {
  return lastFailed.get(engine) ?? { streams: {}, tables: {}, rules: {}, ...empty };
}
function failures({ failed }: Imported): string {
  const all = [...Object.entries(failed.streams), ...Object.entries(failed.tables), ...Object.entries(failed.rules)];
  return all.length === 0 ? "" : `; not ${all.map(([name, why]) => `${name} (${why})`).join(", ")}`;
}
