import type { EffectiveDevice, EffectiveRule, RuleSourceSpec } from "@penstock/model";
import { type ColumnType, columnTypeOf, parseQuery } from "@penstock/rules";
import { sourcesOf } from "./from-ekuiper.ts";
import { msOf } from "./props.ts";
import { lookupOptions } from "./to-lookup.ts";

/** Where eKuiper takes rows from and brings results to. */
export interface EkuiperBroker {
  /** "tcp://127.0.0.1:1883", as eKuiper reaches it */
  readonly server: string;
  readonly user: string | null;
  readonly password: string | null;
}
export interface EkuiperSurroundings {
  readonly broker: EkuiperBroker;
  readonly devices: readonly EffectiveDevice[];
  /** before every name that is made there, so that what is ours is known */
  readonly prefix: string;
  /** topic with the rows of a device */
  rowsTopic(device: EffectiveDevice): string;
  /** topic for the results of a rule */
  resultsTopic(rule: EffectiveRule): string;
}
/** What a rule becomes at an eKuiper. */
export interface ToEkuiper {
  readonly id: string;
  /** the body of PUT /rules/{id} */
  readonly rule: Readonly<Record<string, unknown>>;
  /** statements by name; rules that read the same thing have the same */
  readonly streams: ReadonlyMap<string, { readonly kind: "streams" | "tables"; readonly sql: string }>;
  /** devices whose rows it reads */
  readonly devices: readonly EffectiveDevice[];
}

/**
 * A rule as eKuiper takes it: a stream for each device it reads, and for each source of its own, and one sink that brings the
 * results back to this gateway, which does the rule's actions itself. So every kind of action works.
 *
 * Streams there have names of our own, and the names of the query are their aliases, so that nothing of somebody else's is
 * read or replaced.
 *
 * @returns text: what of the rule an eKuiper cannot do
 * @throws AppError rules/bad-sql for SQL that an eKuiper does not read
 */
export function toEkuiper(rule: EffectiveRule, around: EkuiperSurroundings): ToEkuiper | string {
  const { broker, devices, prefix } = around;
  const byName = new Map(devices.map((device) => [device.name, device]));
  const streams = new Map<string, { kind: "streams" | "tables"; sql: string }>();
  const read: EffectiveDevice[] = [];
  const names = new Map<string, string>();
  for (const name of sourcesOf(rule.sql)) {
    const source = rule.sources[name];
    const device = byName.get(name);
    if (source === undefined && device === undefined) return `There is no device and no source "${name}"`;
    const there = source === undefined ? `${prefix}${name}` : `${prefix}${rule.name}_${name}`;
    names.set(name, there);
    if (source !== undefined) {
      const made = sourceText(there, source, { broker, isEventTime: rule.eventTime !== null });
      if (made === null) return `Its source "${name}" is of a kind that an eKuiper does not get from this gateway`;
      streams.set(there, made);
    } else {
      read.push(device!);
      streams.set(there, { kind: "streams", sql: deviceText(there, device!, around) });
    }
  }
  return {
    ...{ id: `${prefix}${rule.name}`, streams, devices: read },
    rule: {
      ...{ id: `${prefix}${rule.name}`, name: rule.name, sql: renamed(rule.sql, names), triggered: !rule.isStopped },
      actions: [{ mqtt: { ...loginOf(broker), topic: around.resultsTopic(rule), qos: 1, sendSingle: false } }],
      options: {
        ...(rule.eventTime !== null && { isEventTime: true, lateTolerance: rule.eventTime.lateToleranceMs }),
        // Errors are counted in its status, which is asked for.
        sendError: false,
      },
    },
  };
}

/** The query with other streams under the same names. */
function renamed(sql: string, names: ReadonlyMap<string, string>): string {
  const { from, joins } = parseQuery(sql, "compat");
  let text = sql;
  // From the last to the first, so that places before stay where they are.
  for (const { name, alias, start, end } of [from, ...joins.map(({ source }) => source)].reverse()) {
    text = `${text.slice(0, start)}${quoted(names.get(name)!)} AS ${quoted(alias ?? name)} ${text.slice(end)}`;
  }
  return text;
}

function deviceText(name: string, device: EffectiveDevice, { broker, rowsTopic }: EkuiperSurroundings): string {
  const columns = device.properties.map(
    ({ name: column, type }) => `${quoted(column)} ${typeText(columnTypeOf(type))}`,
  );
  return createText("STREAM", name, columns.join(", "), {
    ...{ TYPE: "mqtt", DATASOURCE: rowsTopic(device), FORMAT: "JSON", SHARED: "true" },
    EXTRA: JSON.stringify(loginOf(broker)),
  });
}

type Options = Readonly<Record<string, string>>;
function sourceText(
  name: string,
  source: RuleSourceSpec,
  { broker, isEventTime }: { readonly broker: EkuiperBroker; readonly isEventTime: boolean },
) {
  const { columns = "", timestamp, table } = source;
  const place = placeOf(source, broker);
  if (place === null) return null;
  const options = {
    ...place,
    ...(timestamp !== undefined && isEventTime && { TIMESTAMP: timestamp }),
    ...(table !== undefined && tableOptions(table)),
  };
  const isTable = table !== undefined || source.lookup !== undefined;
  const kind = isTable ? ("tables" as const) : ("streams" as const);
  return { kind, sql: createText(isTable ? "TABLE" : "STREAM", name, columns, options) };
}

function placeOf({ mqtt, http, lookup }: RuleSourceSpec, own: EkuiperBroker): Options | null {
  if (lookup !== undefined) return lookupOptions(lookup);
  if (mqtt !== undefined) {
    const { broker } = mqtt;
    const login =
      broker === undefined
        ? loginOf(own)
        : loginOf({
            server: broker.url.replace(/^mqtts:/, "ssl:").replace(/^mqtt:/, "tcp:"),
            ...{ user: broker.user ?? null, password: broker.password ?? null },
          });
    return { TYPE: "mqtt", DATASOURCE: mqtt.topic, FORMAT: "JSON", EXTRA: JSON.stringify(login) };
  }
  if (http !== undefined && http.token === undefined) {
    const extra = {
      url: http.url,
      method: "get",
      interval: msOf(http.every),
      ...(http.headers && { headers: http.headers }),
    };
    return { TYPE: "httppull", DATASOURCE: "", FORMAT: "JSON", EXTRA: JSON.stringify(extra) };
  }
  // Rows between rules stay in this gateway's memory, and files on its disk.
  return null;
}

function tableOptions({ rows, key }: NonNullable<RuleSourceSpec["table"]>): Options {
  return {
    ...(key !== undefined ? { KIND: "lookup", KEY: key } : { KIND: "scan" }),
    ...(rows !== undefined && { RETAIN_SIZE: String(rows) }),
  };
}

function loginOf({ server, user, password }: EkuiperBroker): Readonly<Record<string, string>> {
  return { server, ...(user !== null && { username: user }), ...(password !== null && { password }) };
}

function createText(kind: "STREAM" | "TABLE", name: string, columns: string, options: Options): string {
  const list = Object.entries(options).map(([key, value]) => `${key}="${escaped(value)}"`);
  return `CREATE ${kind} ${quoted(name)} (${columns}) WITH (${list.join(", ")})`;
}

function quoted(name: string): string {
  return `\`${name}\``;
}

/** @source The Go Programming Language Specification, go1.23, "String literals" */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r");
}

function typeText(type: ColumnType): string {
  switch (type.t) {
    case "array":
      return `ARRAY(${typeText(type.of)})`;
    case "struct":
      return `STRUCT(${type.fields.map(({ name, type: of }) => `${quoted(name)} ${typeText(of)}`).join(", ")})`;
    default:
      return type.t.toUpperCase();
  }
}
