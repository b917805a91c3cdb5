import { errors } from "@penstock/model";
import type { TObject, TSchema } from "typebox";
import { allRoutes, contract } from "./contract.ts";
import { commonErrors, type RouteSpec } from "./route.ts";
import { problemSchema } from "./shapes.ts";

type Json = Record<string, unknown>;

/** The contract as an OpenAPI 3.1 document. @source OpenAPI Specification 3.1.1 */
export function openApi(options: { version: string }): Json {
  const paths: Record<string, Json> = {};
  for (const { resource, name, route } of allRoutes()) {
    const path = paths[route.path] ?? {};
    paths[route.path] = path;
    path[route.method.toLowerCase()] = operation(`${resource}.${name}`, contract[resource].name, route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Penstock", version: options.version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    tags: Object.values(contract).map(({ name, summary }) => ({ name, description: summary })),
    paths,
    components: {
      schemas: { Problem: plain(problemSchema) },
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        cookie: { type: "apiKey", in: "cookie", name: sessionCookie },
      },
    },
  };
}

/** The browser's login. `__Host-` needs TLS, so the loopback port drops the prefix. */
export const sessionCookie = "penstock_session";

function operation(operationId: string, tag: string, route: RouteSpec): Json {
  const body = plain(route.body);
  const example = route.examples.find((one) => one.body !== undefined);
  return {
    operationId,
    tags: [tag],
    summary: route.summary,
    security: route.permission === null ? [] : [{ bearer: [] }, { cookie: [] }],
    parameters: [...parameters("path", route.params), ...parameters("query", route.query), ...headers(route)],
    ...(hasBody(route)
      ? {
          requestBody: {
            required: true,
            content: {
              [route.method === "PATCH" ? "application/merge-patch+json" : "application/json"]: {
                schema: body,
                ...(example === undefined ? {} : { example: example.body }),
              },
            },
          },
        }
      : {}),
    responses: { ...good(route), ...bad(route) },
  };
}

export function hasBody(route: RouteSpec): boolean {
  return Object.keys(plain(route.body)).length > 0 && plain(route.body).type !== "undefined";
}

function parameters(where: "path" | "query", schema: TObject): Json[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties).map(([name, inner]) => ({
    name,
    in: where,
    required: where === "path" || required.has(name),
    schema: plain(inner as TSchema),
  }));
}

function headers(route: RouteSpec): Json[] {
  const header = (name: string, description: string) => ({
    name,
    in: "header",
    required: false,
    description,
    schema: { type: "string" },
  });
  const match = header("If-Match", "the ETag of what is changed");
  if (route.safety === "match") return [match];
  if (route.safety === "precondition") return [match, header("If-None-Match", "* creates and refuses to replace")];
  if (route.safety === "key")
    return [header("Idempotency-Key", "the same key and request get the same answer for 24 h")];
  return [];
}

function good(route: RouteSpec): Json {
  const type = {
    json: "application/json",
    stream: "text/event-stream",
    text: "text/plain",
    file: "application/octet-stream",
    none: "",
  }[route.format];
  const answer =
    type === ""
      ? { description: "done" }
      : { description: "done", content: { [type]: { schema: plain(route.response) } } };
  return {
    [route.success]: answer,
    ...(route.safety === "precondition" ? { 201: { ...answer, description: "created" } } : {}),
    ...(route.pending ? { 202: { ...answer, description: errors["twin/pending"].means } } : {}),
  };
}

function bad(route: RouteSpec): Json {
  const codes = [...new Set([...route.errors, ...(route.permission === null ? [] : commonErrors)])];
  const responses: Record<string, Json> = {};
  for (const code of codes) {
    const status = errors[code].http;
    const before = responses[status]?.description;
    responses[status] = {
      description: `${before === undefined ? "" : `${String(before)}; `}${code}: ${errors[code].means}`,
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    };
  }
  return responses;
}

/** The schema as plain JSON: TypeBox keeps its own marks in hidden properties, which JSON leaves out. */
function plain(schema: TSchema): Json {
  return JSON.parse(JSON.stringify(schema)) as Json;
}
