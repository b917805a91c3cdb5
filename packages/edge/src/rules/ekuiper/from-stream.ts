import { AppError, type RuleSourceSpec } from "@penstock/model";
import { type Define, parse } from "@penstock/rules";
import { brokerOf } from "./from-broker.ts";
import { takeHeaders } from "./from-http.ts";
import { takeLookup } from "./from-lookup.ts";
import { type EkuiperFinding, Props, type Tell } from "./props.ts";

/** A stream or table of eKuiper, and what it is here. */
export interface TakenStream {
  readonly define: Define;
  /** null: something of it is refused */
  readonly source: RuleSourceSpec | null;
  readonly findings: readonly EkuiperFinding[];
}

/**
 * `CREATE STREAM|TABLE` as a source of rules.
 *
 * @param ownBrokers  "HOST:PORT" of the gateway's own broker
 * @throws AppError rules/bad-sql when it cannot be read, or is no CREATE
 * @source reference 1.1, stream and table options
 */
export function fromStream(sql: string, ownBrokers: ReadonlySet<string>): TakenStream {
  const define = readDefine(sql);
  const findings: EkuiperFinding[] = [];
  const document = `${define.kind} "${define.name}"`;
  const tell: Tell = (finding) => findings.push({ document, ...finding });
  const options = new Props(Object.fromEntries(define.options), "", tell);
  const isLookup = define.kind === "table" && (options.text("KIND") ?? "").toLowerCase() === "lookup";
  const type = (options.text("TYPE") ?? "mqtt").toLowerCase().replace("_", "");
  const isAsked = isLookup && type !== "memory";
  const extra = takeExtra(options, tell);
  const place = isAsked ? takeLookup(type, { options, extra, tell }) : takePlace(type, { options, extra, ownBrokers });
  const columns = define.columns === null ? null : columnText(sql, define);
  if (define.columns?.some(({ byDefault }) => byDefault !== null))
    tell({ field: "columns", value: "DEFAULT", level: "lossy", why: "a column without a value has none" });
  if (isAsked) options.lose("TIMESTAMP", "a table that is asked has no times");
  const timestamp = isAsked ? undefined : options.text("TIMESTAMP");
  options.refuseIfSet("TIMESTAMP_FORMAT", "times are milliseconds or RFC 3339");
  const table = define.kind === "table" && !isAsked ? takeTable(options) : null;
  takeRest(options, define.kind === "table");
  if (findings.some(({ level }) => level === "refused") || place === null) return { define, source: null, findings };
  return {
    define,
    source: {
      ...place,
      ...(columns !== null && { columns }),
      ...(timestamp !== undefined && timestamp !== "" && { timestamp }),
      ...(table !== null && { table }),
    },
    findings,
  };
}

/** @throws AppError rules/bad-sql */
export function readDefine(sql: string): Define {
  const statement = parse(trailing(sql), "compat");
  if (statement.t === "create") return statement;
  throw new AppError("rules/bad-sql", "Cannot read the statement: it must begin with CREATE STREAM or CREATE TABLE");
}

/** Exports of eKuiper end the list of options with a comma, which its parser takes. */
function trailing(sql: string): string {
  return sql.replace(/,\s*\)\s*;?\s*$/, ")");
}

function columnText(sql: string, { columns }: Define): string {
  const [first, last] = [columns![0]!, columns!.at(-1)!];
  return columns!.some(({ byDefault }) => byDefault !== null)
    ? columns!
        .map(({ start, end, byDefault }) =>
          sql
            .slice(start, byDefault === null ? end : byDefault.start)
            .replace(/\s+DEFAULT\s*$/i, "")
            .trim(),
        )
        .join(", ")
    : sql.slice(first.start, last.end).trim();
}

type Place = Pick<RuleSourceSpec, "mqtt" | "http" | "file" | "memory">;
const types = ["mqtt", "memory", "httppull", "file"] as const;

function takeExtra(options: Props, tell: Tell): Props {
  const key = options.text("CONF_KEY") ?? "";
  if (key !== "" && key !== "default")
    options.refuse("CONF_KEY", "there are no named configurations: state the settings in EXTRA");
  return new Props(readExtra(options, tell), "EXTRA", tell);
}

function takePlace(
  type: string,
  of: { readonly options: Props; readonly extra: Props; readonly ownBrokers: ReadonlySet<string> },
): Place | null {
  const { options, extra, ownBrokers } = of;
  const from = options.text("DATASOURCE") ?? "";
  const format = (options.text("FORMAT") ?? "json").toLowerCase();
  if (type !== "file" && format !== "json") options.refuse("FORMAT", "must be JSON");
  switch (types.find((one) => one === type)) {
    case "mqtt": {
      const broker = brokerOf(extra, ownBrokers);
      extra.note("qos", "the gateway takes messages at most once from a broker");
      extra.end();
      if (from === "") options.refuse("DATASOURCE", "is missing: the topic");
      return { mqtt: { topic: from, ...(broker !== null && { broker }) } };
    }
    case "memory":
      extra.end();
      if (from === "") options.refuse("DATASOURCE", "is missing: the topic");
      if (/[+#]/.test(from)) options.refuse("DATASOURCE", "must be one topic");
      return { memory: {} };
    case "httppull":
      return takePull(extra, from);
    case "file":
      extra.end();
      if (format !== "json" && format !== "delimited") options.refuse("FORMAT", "must be JSON or DELIMITED");
      options.lose("DELIMITER", "columns of a CSV file are cut at commas");
      if (from === "" || from.includes("..")) options.refuse("DATASOURCE", "must be the name of a file");
      return {
        file: { name: from.slice(from.lastIndexOf("/") + 1), ...(format === "delimited" && { format: "csv" }) },
      };
    default:
      options.refuse("TYPE", `there is no such source: it may be ${types.join(", ")}`);
      return null;
  }
}

function takePull(extra: Props, path: string): Place {
  const base = extra.text("url") ?? "";
  const between = base === "" || path.startsWith("/") ? "" : "/";
  const url = path === "" ? base : `${base.replace(/\/$/, "")}${between}${path}`;
  const every = extra.ms("interval") ?? 10_000;
  if ((extra.text("method") ?? "get").toLowerCase() !== "get") extra.refuse("method", "must be get");
  for (const name of ["body", "bodyType", "responseType"]) extra.lose(name, "a GET has no body");
  extra.refuseIfSet("oAuth", "tokens are not fetched: state a header");
  extra.refuseIfSet("incremental", "every answer is taken");
  extra.note("timeout", "the gateway waits its own time");
  extra.lose("insecureSkipVerify", "certificates are always checked");
  const headers = takeHeaders(extra);
  extra.end();
  if (!/^https?:\/\//.test(url)) extra.refuse("url", 'is missing: EXTRA=\'{"url":"http://HOST/PATH"}\'');
  return { http: { url, every: `${every}ms`, ...(headers !== null && { headers }) } };
}

function readExtra(options: Props, tell: Tell): unknown {
  const text = options.text("EXTRA");
  if (text === undefined || text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Not what it says: passwords may stand in it.
    tell({ field: "EXTRA", value: "(hidden)", level: "refused", why: "must be JSON" });
    return undefined;
  }
}

function takeTable(options: Props): NonNullable<RuleSourceSpec["table"]> {
  const kind = (options.text("KIND") ?? "scan").toLowerCase();
  const rows = options.number("RETAIN_SIZE");
  const key = options.text("KEY");
  if (kind !== "scan" && kind !== "lookup") options.refuse("KIND", "must be scan or lookup");
  if (kind === "lookup" && (key === undefined || key === "")) options.refuse("KEY", "is missing");
  if (kind === "lookup") return { key: key! };
  return rows === undefined ? {} : { rows };
}

function takeRest(options: Props, isTable: boolean): void {
  for (const name of ["SHARED", "VERSION"]) options.note(name, "a source is read once however many rules read it");
  for (const name of ["STRICT_VALIDATION", "STRICTVALIDATION"])
    options.lose(name, "what does not fit the type of its column stays what it is");
  if (!isTable) for (const name of ["KIND", "RETAIN_SIZE", "KEY"]) options.note(name, "matters for tables only");
  for (const name of ["SCHEMAID", "DELIMITER"]) options.lose(name, "messages are JSON");
  options.lose("TEMP", "it is kept until it is dropped");
  options.end();
}
