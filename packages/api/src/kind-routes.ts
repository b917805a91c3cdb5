import type { Kind } from "@penstock/model";
import Type, { type TSchema } from "typebox";
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

/** The five verbs of a kind that lives in a tenant. */
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
    routes: verbs(
      {
        path: `/api/v1/tenants/{tenant}/${kind.name}`,
        one: Type.Object({ tenant: nameSchema, name: nameSchema }, closed),
        many: tenantParams,
      },
      kind,
    ),
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
