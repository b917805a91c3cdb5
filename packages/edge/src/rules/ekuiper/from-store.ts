import { limits, type RuleActionOf, type RuleActionSpec } from "@penstock/model";
import { takeDelivery } from "./from-delivery.ts";
import { fromTemplate } from "./from-template.ts";
import type { Props } from "./props.ts";
import { takeDynamic } from "./take-dynamic.ts";

type Taken = readonly RuleActionSpec[];

/** smaller files are not begun here */
const leastRollBytes = 4096;

/** eKuiper's `file` sink; ours stands in the gateway's data folder, whatever the path was. */
export function takeFile(props: Props): Taken {
  const path = takeDynamic(props, "path");
  const type = (props.text("fileType") ?? "lines").toLowerCase();
  const format = (props.text("format") ?? "json").toLowerCase();
  if (format !== "json" && format !== "delimited") props.refuse("format", "must be json or delimited");
  const isCsv = type === "csv" || format === "delimited";
  if (type === "json") props.tell("fileType", "lossy", "a line for each row, not one list");
  else if (type !== "lines" && type !== "csv") props.refuse("fileType", "must be lines, json or csv");
  props.note("hasHeader", "a CSV file begins with its columns");
  const rollEvery = props.ms("rollingInterval") ?? 0;
  const rollBytes = props.number("rollingSize") ?? 0;
  for (const name of ["checkInterval", "rollingCount", "rollingNamePattern", "interval", "rollingHook"])
    props.lose(name, "files are rolled by age and size, and those before are x.1, x.2 and so on");
  const { template: _, ...delivery } = takeDelivery(props);
  if (path === null) return [];
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === "" || name === "." || name === "..") {
    props.refuse("path", "must end with the name of a file");
    return [];
  }
  if (name !== path) props.tell("path", "lossy", `the file is ${name} in the gateway's data folder`);
  const bytes = Math.min(limits.ruleCacheBytes, Math.max(leastRollBytes, rollBytes));
  return [
    {
      file: {
        ...{ name, ...(isCsv && { format: "csv" as const }) },
        ...(rollEvery > 0 && { rollEvery: `${rollEvery}ms` }),
        ...(rollBytes > 0 && { rollBytes: bytes }),
        ...delivery,
      },
    },
  ];
}

/** eKuiper's `redis` sink. */
export function takeRedis(props: Props): Taken {
  const url = redisUrl(props);
  const field = props.text("field");
  const fixed = props.text("key");
  const key = field !== undefined && field !== "" ? `\${${field}}` : fixed;
  const keyType = props.text("keyType") ?? "single";
  if (keyType !== "single") props.refuse("keyType", "must be single: a key for each column is not offered");
  const type = props.text("dataType") ?? "string";
  if (type !== "string" && type !== "list") props.refuse("dataType", "must be string or list");
  const expire = props.number("expiration") ?? props.number("expire") ?? -1;
  if (key === undefined || key === "") props.refuse("key", "is missing, and so is field");
  const as = type === "list" ? "list" : "string";
  const password = props.text("password");
  const delivery = takeDelivery(props);
  if (url === null || key === undefined || key === "") return [];
  return [
    {
      redis: {
        ...{ url, key, as },
        ...(password !== undefined && password !== "" && { password }),
        ...(expire > 0 && { expire: `${Math.trunc(expire)}s` }),
        ...delivery,
      } satisfies RuleActionOf<"redis">,
    },
  ];
}

/** eKuiper's `redisPub` sink. */
export function takeRedisPublish(props: Props): Taken {
  const url = redisUrl(props, "address");
  const channel = props.text("channel");
  if (channel === undefined || channel === "") props.refuse("channel", "is missing");
  const user = props.text("username");
  const password = props.text("password");
  const delivery = takeDelivery(props);
  if (url === null || channel === undefined || channel === "") return [];
  return [
    {
      redis: {
        ...{ url, key: channel, as: "publish" as const },
        ...(user !== undefined && user !== "" && { user }),
        ...(password !== undefined && password !== "" && { password }),
        ...delivery,
      },
    },
  ];
}

/** null: it is refused */
export function redisUrl(props: Props, name = "addr"): string | null {
  const address = (props.text(name) ?? "").replace(/^redis:\/\//, "");
  const db = props.number("db") ?? 0;
  if (/^[^\s@/?#]+:\d+$/.test(address)) return `redis://${address}${db === 0 ? "" : `/${db}`}`;
  props.refuse(name, "must be HOST:PORT");
  return null;
}

/** eKuiper's `influx2` sink. */
export function takeInflux2(props: Props): Taken {
  const [org, bucket, token] = [props.text("org"), props.text("bucket"), props.text("token")];
  if (bucket === undefined || bucket === "") props.refuse("bucket", "is missing");
  return influx(props, { bucket, ...(org !== undefined && { org }), ...(token !== undefined && { token }) });
}

/** eKuiper's `influx` sink, for InfluxDB 1.8: it takes what 2 takes, with the database as bucket. */
export function takeInflux(props: Props): Taken {
  const database = props.text("database") ?? props.text("databasename");
  if (database === undefined || database === "") props.refuse("database", "is missing");
  const [user, password] = [props.text("username"), props.text("password")];
  return influx(props, { bucket: database, ...(user !== undefined && { token: `${user}:${password ?? ""}` }) });
}

function influx(props: Props, given: { bucket: string | undefined; org?: string; token?: string }): Taken {
  const url = props.text("addr") ?? "";
  if (!/^https?:\/\/[^\s]+$/.test(url)) props.refuse("addr", "must be http://HOST:PORT");
  const measurement = takeDynamic(props, "measurement");
  if (props.flag("useLineProtocol") === true) props.tell("useLineProtocol", "refused", "lines are made of the columns");
  const time = props.text("tsFieldName");
  const precision = props.text("precision") ?? "ms";
  if (precision !== "ms" && time !== undefined && time !== "")
    props.refuse("precision", "must be ms: times are milliseconds");
  const tags = takeTags(props);
  for (const name of ["certificationPath", "privateKeyPath", "rootCaPath"])
    props.refuseIfSet(name, "certificates of a client are not offered");
  for (const name of ["insecureSkipVerify", "tlsMinVersion", "renegotiationSupport"])
    props.lose(name, "certificates are always checked");
  props.refuseIfSet("dataTemplate", "lines are made of the columns");
  const { template: _, ...delivery } = takeDelivery(props);
  const { bucket, ...rest } = given;
  if (measurement === null || bucket === undefined || bucket === "") return [];
  return [
    {
      influx: {
        ...{ url, bucket, measurement, ...rest },
        ...(tags.length > 0 && { tags }),
        ...(time !== undefined && time !== "" && { time }),
        ...delivery,
      },
    },
  ];
}

/** `{"line":"{{.line}}"}`: a tag that is the column of its name. */
function takeTags(props: Props): string[] {
  const value = props.take("tags");
  let given: unknown = value;
  if (typeof value === "string" && value !== "") {
    try {
      given = JSON.parse(value);
    } catch {
      given = null;
    }
  }
  if (value === undefined || value === "") return [];
  const entries = typeof given === "object" && given !== null ? Object.entries(given) : null;
  if (entries === null) props.refuse("tags", "must be an object");
  return (entries ?? []).flatMap(([tag, text]) => {
    const translated = typeof text === "string" ? fromTemplate(text) : null;
    if (translated?.is === "template" && translated.text === `\${${tag}}`) return [tag];
    props.refuse("tags", `"${tag}" must be the column of that name: {{.${tag}}}`);
    return [];
  });
}

/** Where a database is, and who logs in; null: it is refused. */
export function sqlPlace(props: Props): Pick<RuleActionOf<"sql">, "url" | "user" | "password"> | null {
  const given = props.text("url") ?? props.text("dburl") ?? "";
  const parsed = URL.canParse(given) ? new URL(given) : null;
  const scheme = parsed?.protocol.replace(":", "") ?? "";
  if (parsed === null || !["postgres", "postgresql", "mysql"].includes(scheme)) {
    props.refuse("url", "must be postgres://… or mysql://…");
    return null;
  }
  if (parsed.search !== "") props.tell("url", "lossy", `${parsed.search} is left out`);
  const [user, password] = [decodeURIComponent(parsed.username), decodeURIComponent(parsed.password)];
  return {
    url: `${scheme}://${parsed.host}${parsed.pathname}`,
    ...(user !== "" && { user }),
    ...(password !== "" && { password }),
  };
}

/** eKuiper's `sql` sink. */
export function takeSql(props: Props): Taken {
  const place = sqlPlace(props);
  const table = takeDynamic(props, "table");
  for (const name of ["tableDataField", "keyField"])
    props.refuseIfSet(name, "rows of the result are added as they are");
  props.refuseIfSet("dataTemplate", "rows are added column by column");
  const { template: _, ...delivery } = takeDelivery(props);
  if (place === null || table === null) return [];
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$/.test(table)) {
    props.refuse("table", "must be the name of a table");
    return [];
  }
  return [{ sql: { ...place, table, ...delivery } }];
}
