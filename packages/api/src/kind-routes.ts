import type { Kind } from "@penstock/model";
import Type, { type TSchema } from "typebox";
import {
  deletedView,
  dryRunQuery,
  fieldChange,
  numberInPath,
  ofDeleted,
  pageFields,
  versionDocument,
  versionNumber,
  versionView,
} from "./history-shapes.ts";
import { type Permission, resource, route } from "./route.ts";
import {
  closed,
  listQuery,
  mergePatch,
  nameSchema,
  page,
  resourceInput,
  resourceOutput,
  tenantParams,
} from "./shapes.ts";

interface KindOptions<N extends string, K extends Kind, I extends TSchema, O extends TSchema, U extends TSchema> {
  /** plural, lower case: the path segment and the client's name */
  readonly name: N;
  readonly kind: K;
  readonly summary: string;
  readonly read: Permission;
  readonly write: Permission;
  /** spec as people send it */
  readonly input: I;
  /** spec as it is answered */
  readonly spec: O;
  readonly status: U;
  readonly example: { readonly metadata: { readonly name: string }; readonly spec: unknown };
}

function verbs<
  const P extends string,
  const A extends ReturnType<typeof Type.Object>,
  const C extends ReturnType<typeof Type.Object>,
  N extends string,
  K extends Kind,
  I extends TSchema,
  O extends TSchema,
  U extends TSchema,
>(at: { path: P; one: A; many: C }, kind: KindOptions<N, K, I, O, U>) {
  const output = resourceOutput(kind.kind, kind.spec, kind.status);
  const one = `${at.path}/{name}`;
  const word = kind.kind;
  return {
    list: route({
      method: "GET",
      exact: true,
      path: at.path,
      summary: `Lists ${kind.summary}, by name`,
      permission: kind.read,
      params: at.many,
      query: listQuery,
      response: page(output),
      errors: ["resource/not-found"],
    }),
    get: route({
      method: "GET",
      exact: true,
      path: one,
      summary: `Reads one ${word}; its ETag is metadata.resourceVersion`,
      permission: kind.read,
      params: at.one,
      response: output,
      errors: ["resource/not-found"],
    }),
    put: route({
      method: "PUT",
      exact: true,
      path: one,
      summary: `Creates a ${word} with If-None-Match: *, replaces one with If-Match`,
      permission: kind.write,
      safety: "precondition",
      params: at.one,
      query: dryRunQuery,
      body: resourceInput(kind.kind, kind.input),
      response: output,
      errors: [
        "resource/not-found",
        "resource/name-taken",
        "resource/missing-reference",
        "resource/in-use",
        "request/precondition-required",
        "request/precondition-failed",
        "request/unsupported-media",
        "input/too-large",
      ],
      examples: [{ summary: `A ${word}`, body: kind.example }],
    }),
    patch: route({
      method: "PATCH",
      exact: true,
      path: one,
      summary: `Changes some fields of a ${word} by merge patch`,
      permission: kind.write,
      safety: "match",
      params: at.one,
      query: dryRunQuery,
      body: mergePatch,
      response: output,
      errors: [
        "resource/not-found",
        "resource/missing-reference",
        "resource/in-use",
        "request/precondition-required",
        "request/precondition-failed",
        "request/unsupported-media",
        "input/too-large",
      ],
      examples: [{ summary: "A label", body: { metadata: { labels: { line: "filling" } } } }],
    }),
    remove: route({
      method: "DELETE",
      path: one,
      summary: `Deletes a ${word} that nothing refers to`,
      permission: kind.write,
      safety: "match",
      params: at.one,
      format: "none",
      success: 204,
      errors: ["resource/not-found", "resource/in-use", "request/precondition-required", "request/precondition-failed"],
    }),
  };
}

/** What the history of a tenant's kind answers; `uid` asks for one that was deleted, when another has its name now. */
function history<O extends TSchema, K extends Kind>(
  at: { readonly name: string },
  kind: {
    readonly kind: K;
    readonly summary: string;
    readonly read: Permission;
    readonly write: Permission;
    readonly output: O;
  },
) {
  const path = `/api/v1/tenants/{tenant}/${at.name}/{name}` as const;
  const one = Type.Object({ tenant: nameSchema, name: nameSchema }, closed);
  const versioned = Type.Object({ ...one.properties, version: numberInPath }, closed);
  const read = { method: "GET", permission: kind.read, errors: ["resource/not-found"] } as const;
  return {
    versions: route({
      ...read,
      path: `${path}/versions`,
      summary: `Lists every stored state of a ${kind.kind}, the newest first`,
      params: one,
      query: Type.Object({ ...ofDeleted, ...pageFields }, closed),
      response: page(versionView),
    }),
    version: route({
      ...read,
      exact: true,
      path: `${path}/versions/{version}`,
      summary: `Reads a ${kind.kind} as it was`,
      params: versioned,
      query: Type.Object(ofDeleted, closed),
      response: versionDocument,
    }),
    diff: route({
      ...read,
      exact: true,
      path: `${path}/diff`,
      summary: `Compares two versions of a ${kind.kind}, field by field`,
      params: one,
      query: Type.Object(
        { ...ofDeleted, from: Type.Optional(versionNumber), to: Type.Optional(versionNumber) },
        closed,
      ),
      response: Type.Object({ from: Type.Integer(), to: Type.Integer(), changes: Type.Array(fieldChange) }),
    }),
    restore: route({
      method: "POST",
      exact: true,
      path: `${path}/versions/{version}/restore`,
      summary: `Makes a ${kind.kind} again what it was, as a new version; If-Match: * brings back a deleted one`,
      permission: kind.write,
      safety: "match",
      params: versioned,
      query: Type.Object({ ...ofDeleted, ...dryRunQuery.properties }, closed),
      response: kind.output,
      errors: ["resource/not-found", "request/precondition-required", "request/precondition-failed"],
    }),
    deleted: route({
      ...read,
      path: `/api/v1/tenants/{tenant}/deleted/${at.name}`,
      summary: `Lists deleted ${kind.summary} that can be brought back, the last deleted first`,
      params: tenantParams,
      query: Type.Object(pageFields, closed),
      response: page(deletedView),
    }),
  };
}

/** The five verbs of a kind that lives in a tenant, and its history. */
export function tenantKind<
  const N extends string,
  const K extends Kind,
  const I extends TSchema,
  const O extends TSchema,
  const U extends TSchema,
>(kind: KindOptions<N, K, I, O, U>) {
  return resource({
    name: kind.name,
    summary: kind.summary,
    routes: {
      ...verbs(
        {
          path: `/api/v1/tenants/{tenant}/${kind.name}`,
          one: Type.Object({ tenant: nameSchema, name: nameSchema }, closed),
          many: tenantParams,
        },
        kind,
      ),
      ...history(kind, { ...kind, output: resourceOutput(kind.kind, kind.spec, kind.status) }),
    },
  });
}

/** The five verbs of a kind that belongs to the platform. */
export function platformKind<
  const N extends string,
  const K extends Kind,
  const I extends TSchema,
  const O extends TSchema,
  const U extends TSchema,
>(kind: KindOptions<N, K, I, O, U>) {
  return resource({
    name: kind.name,
    summary: kind.summary,
    routes: verbs(
      { path: `/api/v1/${kind.name}`, one: Type.Object({ name: nameSchema }, closed), many: Type.Object({}, closed) },
      kind,
    ),
  });
}
