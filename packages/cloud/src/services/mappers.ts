import { createHash } from "node:crypto";
import {
  AppError,
  type MapperManifest,
  type NodeIdentity,
  parseManifest,
  parseToldManifest,
  type ToldMapper,
} from "@penstock/model";
import type { Cancel } from "@penstock/runtime";
import { chunksOf } from "./chunks-of.ts";
import type { Caller, Reader, ServiceContext, Trx } from "./context.ts";
import { likenessOf } from "./manifest-likeness.ts";
import { type BookEntry, createMapperBook, type HeldManifest } from "./mapper-book.ts";
import { conflictsOf } from "./mapper-conflicts.ts";
import type { Names } from "./names.ts";
import { findRow } from "./resource-rows.ts";
import type { StandingAlarms } from "./standing-alarms.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

export interface MapperView {
  name: string;
  version: string;
  summary: string | null;
  /** the cloud was started with it */
  cloud: boolean;
  /** names of gateways that have it, at most 100 */
  nodes: string[];
  nodeCount: number;
  problem: string | null;
  manifest: Record<string, unknown> | null;
}
/** Gateways named of one mapper; a fleet may be large. */
const nodesMost = 100;
const compareAfterMs = 1000;

/**
 * The mappers by which connections, devices and models are checked: the cloud's own, and for each gateway those that it told
 * of. What gateways tell is kept, so that devices are checked the same while a gateway is away and after a restart.
 */
export function createMappers(
  context: Pick<ServiceContext, "db" | "clock" | "log" | "manifests">,
  parts: {
    readonly names: Names;
    readonly alarms: StandingAlarms;
    /** a gateway's mappers are all held, and may be others than before */
    onTold(identity: NodeIdentity): void;
  },
) {
  const { db, clock, log } = context;
  const { names, alarms } = parts;
  const book = createMapperBook(context.manifests);
  const texts = new WeakMap<readonly MapperManifest[], string>();
  /** tenants whose mappers changed since they were compared */
  const changed = new Set<string>();
  let cancel: Cancel | null = null;
  let comparing: Promise<void> = Promise.resolve();

  async function nodeNames(nodes: readonly string[]): Promise<string[]> {
    const found = await Promise.all(nodes.slice(0, nodesMost).map(async (node) => (await names.of(node)) ?? node));
    return found.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  }
  async function whose({ isClouds, nodes }: BookEntry): Promise<string> {
    if (isClouds) return "in the cloud";
    const [first] = await nodeNames(nodes);
    return nodes.length === 1 ? `at gateway "${first}"` : `at gateway "${first}" and ${nodes.length - 1} more`;
  }
  async function tellConflicts(tenant: string): Promise<void> {
    const now = new Map<string, string>();
    for (const { mapper, between } of conflictsOf(book.entries(tenant))) {
      const [a, b] = [await whose(between[0]), await whose(between[1])];
      now.set(mapper, `Mapper ${mapper} states one thing ${a} and another ${b}; give the changed one another version`);
    }
    alarms.set(tenant, null, "mapper/manifest-differs", now);
  }
  /** A whole fleet may come at once: its mappers are compared once for all that came meanwhile. */
  function compareSoon(tenant: string): void {
    changed.add(tenant);
    cancel ??= clock.after(compareAfterMs, () => {
      cancel = null;
      comparing = comparing.then(compare);
    });
  }
  async function compare(): Promise<void> {
    for (const tenant of [...changed]) {
      changed.delete(tenant);
      await tellConflicts(tenant);
    }
  }
  /** What follows from what is known of a gateway's mappers now. */
  function tell(identity: NodeIdentity): void {
    const { tenant, node } = identity;
    const refused = book
      .refused(tenant, node)
      .map(({ name, reason }): [string, string] => [
        name,
        `The manifest of mapper "${name}" cannot be used: ${reason}`,
      ]);
    alarms.set(tenant, node, "mapper/manifest-refused", new Map(refused));
    if (book.missing(tenant, node).length === 0) parts.onTold(identity);
  }

  async function keepTold(trx: Trx, { tenant, node }: NodeIdentity, told: readonly ToldMapper[]): Promise<void> {
    await trx.deleteFrom("node_mappers").where("tenant_uid", "=", tenant).where("node_uid", "=", node).execute();
    const rows = told.map(({ name, version, hash }) => ({ tenant_uid: tenant, node_uid: node, name, version, hash }));
    for (const chunk of chunksOf(rows)) await trx.insertInto("node_mappers").values(chunk).execute();
    await trx
      .insertInto("node_mapper_sets")
      .values({ tenant_uid: tenant, node_uid: node, told_at: clock.now(), checked: null })
      .onConflict((conflict) =>
        conflict.columns(["tenant_uid", "node_uid"]).doUpdateSet((eb) => ({ told_at: eb.ref("excluded.told_at") })),
      )
      .execute();
  }
  /** After nobody tells of it any more. */
  async function dropUnused(tenant: string): Promise<void> {
    const unused = book.unused(tenant);
    for (const chunk of chunksOf(unused)) {
      await db.deleteFrom("mapper_manifests").where("tenant_uid", "=", tenant).where("hash", "in", chunk).execute();
    }
    for (const hash of unused) book.hold(tenant, hash, null);
  }

  return {
    own: context.manifests,
    ofNode: (tenant: string, node: string) => book.ofNode(tenant, node),
    ofTenant: (tenant: string) => book.ofTenant(tenant),
    secretFields: (tenant: string) => book.secretFields(tenant),
    /** false: it has never said which mappers it has */
    hasTold: (tenant: string, node: string) => book.told(tenant, node) !== null,
    /** the same for manifests by which the same is checked */
    textOf(manifests: readonly MapperManifest[]): string {
      const known = texts.get(manifests) ?? textOf(manifests);
      texts.set(manifests, known);
      return known;
    },

    /** takes up what gateways told earlier processes */
    async start(): Promise<void> {
      // Most gateways of all tenants have the same few.
      const read = new Map<string, HeldManifest>();
      for (const { tenant_uid, hash, text } of await db.selectFrom("mapper_manifests").selectAll().execute()) {
        const held = read.get(hash) ?? heldOf(text);
        book.hold(tenant_uid, hash, held);
        read.set(hash, held);
      }
      const rows = await db.selectFrom("node_mappers").selectAll().orderBy("name").execute();
      const told = Map.groupBy(rows, ({ tenant_uid, node_uid }) => `${tenant_uid}/${node_uid}`);
      for (const { tenant_uid, node_uid } of await db.selectFrom("node_mapper_sets").selectAll().execute()) {
        const of = told.get(`${tenant_uid}/${node_uid}`) ?? [];
        book.tell(tenant_uid, node_uid, of);
      }
      for (const tenant of book.tenants()) await tellConflicts(tenant);
    },

    /** Durable when it resolves. @returns hashes of the manifests to ask for */
    async take(identity: NodeIdentity, mappers: readonly ToldMapper[]): Promise<readonly string[]> {
      const { tenant, node } = identity;
      const told = [...new Map([...mappers].reverse().map((one) => [one.name, one])).values()].reverse();
      const before = book.told(tenant, node);
      if (before === null || listText(before) !== listText(told)) {
        await db.transaction().execute((trx) => keepTold(trx, identity, told));
        book.tell(tenant, node, told);
        await dropUnused(tenant);
        compareSoon(tenant);
        log.info(
          { node, mappers: told.map(({ name, version }) => `${name} ${version}`) },
          "A gateway told its mappers",
        );
      }
      tell(identity);
      return book.missing(tenant, node);
    },

    /** One that was asked for; what is not what its hash says is left out. Durable when it resolves. */
    async takeManifest(identity: NodeIdentity, hash: string, bytes: Uint8Array): Promise<void> {
      const { tenant, node } = identity;
      if (!book.missing(tenant, node).includes(hash)) return;
      if (createHash("sha256").update(bytes).digest("hex") !== hash) {
        log.warn({ node, hash }, "A gateway gave a manifest that has another hash");
        return;
      }
      const text = new TextDecoder().decode(bytes);
      await db
        .insertInto("mapper_manifests")
        .values({ tenant_uid: tenant, hash, text, taken_at: clock.now() })
        .onConflict((conflict) => conflict.columns(["tenant_uid", "hash"]).doNothing())
        .execute();
      book.hold(tenant, hash, heldOf(text));
      compareSoon(tenant);
      tell(identity);
    },

    /** The node is deleted. Returns what forgets it here, for after the commit. */
    async removed(trx: Trx, { tenant, node }: NodeIdentity): Promise<() => void> {
      for (const table of ["node_mappers", "node_mapper_sets", "mapper_findings"] as const) {
        await trx.deleteFrom(table).where("tenant_uid", "=", tenant).where("node_uid", "=", node).execute();
      }
      return () => {
        book.tell(tenant, node, null);
        alarms.forget(tenant, node);
        compareSoon(tenant);
        dropUnused(tenant).catch((error: unknown) =>
          log.warn({ error: String(error) }, "Manifests of a deleted node could not be deleted"),
        );
      };
    },

    /** resolves when nothing is in flight */
    async close(): Promise<void> {
      cancel?.();
      await comparing;
    },

    /** @param query.node  only those by which this gateway's devices are checked */
    async list(
      caller: Caller,
      tenantName: string,
      query: { readonly node?: string | undefined },
    ): Promise<MapperView[]> {
      const tenant = await tenantOf(db, caller, tenantName);
      const counting = query.node === undefined ? null : book.ofNode(tenant, await uidOf(db, tenant, query.node));
      const entries = book.entries(tenant).filter(({ manifest }) => counting?.includes(manifest!) !== false);
      return Promise.all(
        entries.map(async ({ name, version, isClouds, nodes, manifest, problem }) => ({
          ...{ name, version, summary: manifest?.summary ?? null, cloud: isClouds },
          ...{ nodes: await nodeNames(nodes), nodeCount: nodes.length, problem },
          manifest: manifest === null ? null : { ...manifest },
        })),
      );
    },
  };
}
export type Mappers = ReturnType<typeof createMappers>;

async function uidOf(db: Reader, tenant: string, name: string): Promise<string> {
  const row = await findRow(db, tenant, "Node", name);
  if (row === undefined) throw notFound("Node", name);
  return row.uid;
}

function heldOf(text: string): HeldManifest {
  const bytes = new TextEncoder().encode(text).length;
  try {
    return { manifest: parseToldManifest(text), likeness: likenessOf(parseManifest(text)), bytes };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { refusal: error.message, bytes };
  }
}

function listText(told: readonly ToldMapper[]): string {
  return told
    .map(({ name, version, hash }) => `${name} ${version} ${hash}`)
    .sort()
    .join("\n");
}

function textOf(manifests: readonly MapperManifest[]): string {
  const hash = createHash("sha256");
  const all = manifests.map(likenessOf).sort();
  return hash.update(all.join("\n")).digest("hex");
}
