import { type EffectiveDevice, hiddenSecret } from "@penstock/model";
import { type Column, type ColumnType, columnTypeOf, type Define } from "@penstock/rules";
import { readDefine } from "./from-stream.ts";
import { type LocalEngine, notFound, type SourceKind } from "./local-engine.ts";
import { textField } from "./rest-request.ts";
import type { RestRoute } from "./rest-routes.ts";

type Shape = Pick<Column, "name" | "type">;
interface Described {
  readonly name: string;
  /** null: whatever comes */
  readonly columns: readonly Shape[] | null;
  readonly options: Readonly<Record<string, string>>;
}

/** Streams and tables; every device is a stream too, which cannot be changed here. */
export const sourceRoutes: readonly RestRoute[] = (["streams", "tables"] as const).flatMap(routesOf);

function routesOf(kind: SourceKind): readonly RestRoute[] {
  const [one, label] = kind === "streams" ? (["stream", "Stream"] as const) : (["table", "Table"] as const);
  return [
    {
      ...{ methods: ["GET"], path: `/${kind}` },
      handle: ({ engine }, { query }) => ({ status: 200, json: all(engine, kind, query).map(({ name }) => name) }),
    },
    {
      ...{ methods: ["GET"], path: `/${one}details` },
      handle: ({ engine }, { query }) => ({
        status: 200,
        json: all(engine, kind, query).map(({ name, options }) => ({
          ...{ name, type: (options.TYPE ?? "mqtt").toLowerCase(), format: (options.FORMAT ?? "json").toLowerCase() },
        })),
      }),
    },
    {
      ...{ methods: ["POST"], path: `/${kind}` },
      async handle({ engine }, { body }) {
        const name = await engine.putSource(kind, textField(body, "sql"), { mustBe: "new" });
        return { status: 201, text: `${label} ${name} is created.` };
      },
    },
    {
      ...{ methods: ["GET"], path: `/${kind}/:name` },
      handle: ({ engine }, { params }) => ({ status: 200, json: detail(find(engine, kind, params.name!), kind) }),
    },
    {
      ...{ methods: ["PUT"], path: `/${kind}/:name` },
      async handle({ engine }, { params, body }) {
        const name = await engine.putSource(kind, textField(body, "sql"), { mustBe: "known", name: params.name! });
        return { status: 200, text: `${label} ${name} is replaced.` };
      },
    },
    {
      ...{ methods: ["DELETE"], path: `/${kind}/:name` },
      async handle({ engine }, { params, query }) {
        await engine.dropSource(kind, params.name!, query.get("force") === "true");
        return { status: 200, text: `${label} ${params.name} is dropped.` };
      },
    },
    {
      ...{ methods: ["GET"], path: `/${kind}/:name/schema` },
      handle: ({ engine }, { params }) => ({
        status: 200,
        json: schemaOf(find(engine, kind, params.name!).columns ?? []),
      }),
    },
  ];
}

function all(engine: LocalEngine, kind: SourceKind, query: URLSearchParams): Described[] {
  const made = Object.values(engine.catalogue[kind]).map((sql) => describedOf(readDefine(sql)));
  if (kind === "streams") return [...made, ...engine.rules.devices().map(deviceOf)];
  const wanted = query.get("kind");
  if (wanted !== "scan" && wanted !== "lookup") return made;
  return made.filter(({ options }) => (options.KIND ?? "scan").toLowerCase() === wanted);
}

/** @throws AppError request/not-found */
function find(engine: LocalEngine, kind: SourceKind, name: string): Described {
  const sql = Object.hasOwn(engine.catalogue[kind], name) ? engine.catalogue[kind][name]! : null;
  if (sql !== null) return describedOf(readDefine(sql));
  const device = kind === "streams" ? engine.rules.devices().find((one) => one.name === name) : undefined;
  if (device === undefined) throw notFound(kind === "streams" ? "Stream" : "Table", name);
  return deviceOf(device);
}

function describedOf({ name, columns, options }: Define): Described {
  const shown = [...options].map(([key, value]) => [
    key,
    key === "EXTRA" && /password|token|\/\/[^"/@]*@/i.test(value) ? hiddenSecret : value,
  ]);
  return { name, columns, options: Object.fromEntries(shown) as Record<string, string> };
}

function deviceOf({ name, properties }: EffectiveDevice): Described {
  const columns = properties.map((one) => ({ name: one.name, type: columnTypeOf(one.type) }));
  return { name, columns, options: { TYPE: "device", DATASOURCE: name, FORMAT: "json" } };
}

function detail({ name, columns, options }: Described, kind: SourceKind) {
  return {
    Name: name,
    StreamType: kind === "streams" ? 0 : 1,
    StreamFields: columns?.map((one) => ({ Name: one.name, FieldType: fieldType(one.type) })) ?? null,
    Options: options,
  };
}

function fieldType(type: ColumnType): unknown {
  switch (type.t) {
    case "array":
      return { Type: "array", ElementType: fieldType(type.of) };
    case "struct":
      return { Type: "struct", Fields: type.fields.map((one) => ({ Name: one.name, FieldType: fieldType(one.type) })) };
    default:
      return type.t;
  }
}

function schemaOf(columns: readonly Shape[]): unknown {
  const of = (type: ColumnType): unknown => {
    if (type.t === "array") return { type: "array", items: of(type.of) };
    return type.t === "struct" ? { type: "struct", properties: schemaOf(type.fields) } : { type: type.t };
  };
  return Object.fromEntries(columns.map(({ name, type }) => [name, of(type)]));
}
