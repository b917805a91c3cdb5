import { checkShape, type ResourceSpec, type RouteSpec } from "@penstock/api";
import {
  AppError,
  type FieldError,
  hexId,
  invalid,
  type Kind,
  type MetadataInput,
  type Micros,
  type ResourceUid,
} from "@penstock/model";
import type { Random } from "@penstock/runtime";
import type { Caller, Trx } from "./context.ts";
import { canonical, mergePatch } from "./json.ts";
import { type Row, specOf } from "./resource-rows.ts";
import { rowDocument } from "./row-document.ts";
import type { SpecSecrets } from "./spec-secrets.ts";
import { notFound } from "./tenant-check.ts";

/** A change as it is about to be stored. `before` is null at creation. */
export interface Change<Spec> {
  readonly trx: Trx;
  readonly caller: Caller;
  readonly tenant: string;
  readonly name: string;
  readonly uid: string;
  readonly spec: Spec;
  readonly before: Spec | null;
}
export interface Removal<Spec> {
  readonly trx: Trx;
  readonly caller: Caller;
  readonly tenant: string;
  readonly row: Row;
  readonly spec: Spec;
}
/** Runs after the transaction has committed. */
export type AfterCommit = () => void;

/** What a kind says of its changes. All of it runs in the transaction, after the rows of the whole change were written. */
export interface KindRules<K extends Kind, Spec> {
  readonly kind: K;
  /** the kind's contract: its PUT body is what input is checked against */
  readonly contract: ResourceSpec & { readonly routes: { readonly put: RouteSpec } };
  /** what the schema cannot say: references, bounds, uniqueness. Throws an AppError; changes nothing */
  check?(change: Change<Spec>): Promise<void>;
  /** the spec as it is kept; secrets leave here */
  kept?(spec: Spec): Spec;
  /** further rows of the same change */
  changed?(change: Change<Spec>): Promise<AfterCommit | undefined>;
  /** as `changed`, where labels have changed and the spec has not */
  relabelled?(change: Change<Spec>): Promise<AfterCommit | undefined>;
  /** throws resource/in-use naming who uses it */
  removing?(removal: Removal<Spec>): Promise<AfterCommit | undefined>;
}

/** What somebody wants to become of one resource. */
export interface Wanted {
  readonly caller: Caller;
  /** uid; "" for platform kinds */
  readonly tenant: string;
  readonly tenantName: string;
  readonly name: string;
  /** the live row, if there is one */
  readonly present: Row | undefined;
  /** a whole document, a merge patch, or null to delete it */
  readonly change: { readonly document: unknown } | { readonly patch: unknown } | null;
  /** absent: create and refuse to replace; any: either */
  readonly expects: "absent" | "present" | "any";
  /** an ETag or "*" */
  readonly ifMatch?: string | undefined;
  /** a deleted row that comes back under its own uid, so that its readings are its own again */
  readonly revived?: Row | undefined;
}

/** One change that is well-formed and allowed to be tried: what is to be stored, and what must hold once it is. */
export interface Prepared {
  readonly kind: Kind;
  readonly action: "create" | "update" | "delete" | "unchanged";
  readonly before: Row | null;
  /** as it is to be stored; its resource_version is given when it is */
  readonly row: Row;
  readonly isRevived: boolean;
  check(trx: Trx): Promise<void>;
  settle(trx: Trx): Promise<AfterCommit | undefined>;
}

interface Document<Spec> {
  readonly metadata: MetadataInput;
  readonly spec: Spec;
}

/**
 * @throws AppError input/invalid with the fields of the document; resource/not-found, resource/name-taken,
 *   request/precondition-failed
 */
export function prepareChange<K extends Kind, Spec>(
  rules: KindRules<K, Spec>,
  wanted: Wanted,
  ports: { readonly now: Micros; readonly random: Random; readonly secrets: SpecSecrets },
): Prepared {
  const { kind } = rules;
  const { secrets } = ports;
  const { caller, tenant, name, present, change, expects, revived } = wanted;
  if (present === undefined && (expects === "present" || change === null)) throw notFound(kind, name);
  if (present !== undefined && expects === "absent") {
    throw nameTaken(`Cannot create ${kind} "${name}": the name is taken`, name, `another ${kind} has the name`);
  }
  if (present !== undefined) requireMatch(kind, present, wanted.ifMatch);
  if (change === null) return preparedRemoval(rules, { caller, tenant, present: present!, now: ports.now });

  const before = present ?? null;
  const oldSpec = before === null ? null : secrets.open<Spec>(before);
  const given = "patch" in change ? patched(wanted, oldSpec, change.patch) : change.document;
  const shaped = checkDocument<Spec>(rules.contract, wanted, given);
  const document = { ...shaped, spec: secrets.keepStored({ tenant_uid: tenant, kind }, shaped.spec, [oldSpec]) };
  const spec = rules.kept === undefined ? document.spec : rules.kept(document.spec);
  const of = {
    uid: before?.uid ?? revived?.uid ?? hexId<ResourceUid>(ports.random.bytes(16)),
    ...{ tenant_uid: tenant, kind, name },
  };
  // A secret in the document is a change that the kept spec does not show.
  const isSameSpec =
    oldSpec !== null &&
    canonical(spec) === canonical(oldSpec) &&
    (rules.kept === undefined || canonical(document.spec) === canonical(spec));
  const written = {
    display_name: document.metadata.displayName ?? null,
    labels: JSON.stringify(document.metadata.labels ?? {}),
    spec: isSameSpec && before !== null ? before.spec : secrets.seal(of, spec),
    updated_at: ports.now,
  };
  const isSame =
    before !== null &&
    isSameSpec &&
    written.display_name === before.display_name &&
    canonical(JSON.parse(written.labels)) === canonical(JSON.parse(before.labels));
  const base: Row = before ??
    revived ?? {
      ...{ ...of, ...written },
      ...{ generation: 0, resource_version: 0, created_at: ports.now, deleted_at: null },
    };
  const row = isSame
    ? before
    : { ...base, ...written, deleted_at: null, generation: base.generation + (isSameSpec ? 0 : 1) };
  const isRelabelled =
    before !== null && canonical(JSON.parse(written.labels)) !== canonical(JSON.parse(before.labels));
  const at = { caller, tenant, name, uid: row.uid, spec: document.spec, before: oldSpec };
  return {
    kind,
    action: before === null ? "create" : isSame ? "unchanged" : "update",
    before,
    row,
    isRevived: before === null && revived !== undefined,
    check: async (trx) => (isSameSpec ? undefined : rules.check?.({ trx, ...at })),
    async settle(trx) {
      if (!isSameSpec) return rules.changed?.({ trx, ...at });
      return isRelabelled ? rules.relabelled?.({ trx, ...at }) : undefined;
    },
  };
}

export function nameTaken(message: string, name: string, rule: string): AppError {
  const fields = [{ field: "metadata.name", value: `"${name}"`, rule }];
  return new AppError("resource/name-taken", message, { fields });
}

function preparedRemoval<K extends Kind, Spec>(
  rules: KindRules<K, Spec>,
  of: { readonly caller: Caller; readonly tenant: string; readonly present: Row; readonly now: Micros },
): Prepared {
  const { caller, tenant, present, now } = of;
  const removal = { caller, tenant, row: present, spec: specOf<Spec>(present) };
  return {
    kind: rules.kind,
    action: "delete",
    before: present,
    row: { ...present, deleted_at: now, updated_at: now },
    isRevived: false,
    check: async () => {},
    settle: async (trx) => rules.removing?.({ trx, ...removal }),
  };
}

function checkDocument<Spec>(contract: KindRules<Kind, Spec>["contract"], wanted: Wanted, input: unknown) {
  const fields: FieldError[] = checkShape(contract.routes.put.body, input);
  if (fields.length > 0) throw invalid(fields);
  // checkShape has just said that it is one.
  const document = input as Document<Spec>;
  for (const [key, wants] of [["name", wanted.name] as const, ["tenant", wanted.tenantName] as const]) {
    const given = document.metadata[key];
    if (given !== undefined && given !== wants) {
      fields.push({ field: `metadata.${key}`, value: given, rule: `must be "${wants}", as in the address` });
    }
  }
  if (fields.length > 0) throw invalid(fields);
  return document;
}

function requireMatch(kind: Kind, row: Row, ifMatch = "*"): void {
  if (ifMatch === "*" || ifMatch === String(row.resource_version)) return;
  throw new AppError(
    "request/precondition-failed",
    `Cannot change ${kind} "${row.name}": it is at version ${row.resource_version}, If-Match says ${ifMatch}`,
  );
}

/** The document that a merge patch makes of the stored one. */
function patched({ present, name }: Wanted, spec: unknown, patch: unknown): unknown {
  return mergePatch(present === undefined ? { metadata: { name } } : rowDocument(present, spec), patch);
}
