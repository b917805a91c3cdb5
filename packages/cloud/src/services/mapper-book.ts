import {
  type KnownMapper,
  limits,
  type MapperManifest,
  manifestsOfNode,
  manifestsOfTenant,
  secretFieldsOf,
  type ToldMapper,
} from "@penstock/model";
import { likenessOf } from "./manifest-likeness.ts";

/** A manifest that a gateway gave, or why it cannot be used. */
export type HeldManifest =
  | { readonly manifest: MapperManifest; readonly likeness: string; readonly bytes: number }
  | { readonly refusal: string; readonly bytes: number };

/** One mapper of a tenant, as one or more of its gateways have it, or as the cloud was started with. */
export interface BookEntry {
  readonly name: string;
  readonly version: string;
  readonly isClouds: boolean;
  /** uids */
  readonly nodes: readonly string[];
  /** null: not held yet, or refused */
  readonly manifest: MapperManifest | null;
  /** of what it states; null where there is no manifest */
  readonly likeness: string | null;
  /** why it cannot be used, or does not count */
  readonly problem: string | null;
}

interface TenantPage {
  readonly told: Map<string, readonly ToldMapper[]>;
  readonly held: Map<string, HeldManifest>;
  /** worked out when asked for, until something changes; who asks may keep what follows from an array by the array */
  byNode: Map<string, readonly MapperManifest[]>;
  ofAll: readonly MapperManifest[] | null;
  secretFields: ReadonlySet<string> | null;
}

/**
 * Which mappers there are: those that the cloud was started with, and for each tenant those that its gateways told of. What
 * one tenant's gateways say is seen by no other tenant, and of one name and version the cloud's own counts. In memory only.
 */
export function createMapperBook(own: readonly MapperManifest[]) {
  const clouds: readonly KnownMapper[] = own.map((manifest) => ({ manifest, isClouds: true, nodes: [] }));
  const ownSecretFields: ReadonlySet<string> = new Set(own.flatMap(secretFieldsOf));
  const tenants = new Map<string, TenantPage>();

  function pageOf(tenant: string): TenantPage {
    const page = tenants.get(tenant) ?? emptyPage();
    tenants.set(tenant, page);
    return page;
  }
  const ownLikeness = new Map(own.map((manifest) => [manifest, likenessOf(manifest)]));
  function cloudsOf({ name, version }: { readonly name: string; readonly version: string }) {
    return own.find((mine) => mine.name === name && mine.version === version);
  }
  /** the manifest that a gateway told of, where it is held and what it was told to be */
  function usable(page: TenantPage, { name, version, hash }: ToldMapper): MapperManifest | null {
    const held = page.held.get(hash);
    if (held === undefined || !("manifest" in held)) return null;
    return held.manifest.name === name && held.manifest.version === version ? held.manifest : null;
  }
  function refusalOf(page: TenantPage, told: readonly ToldMapper[], one: ToldMapper): string | null {
    const held = page.held.get(one.hash);
    if (held === undefined) return null;
    if ("refusal" in held) return held.refusal;
    if (usable(page, one) === null) {
      const { name, version } = held.manifest;
      return `It was told as ${one.name} ${one.version} and says that it is ${name} ${version}`;
    }
    let bytes = 0;
    for (const other of told) {
      bytes += page.held.get(other.hash)?.bytes ?? 0;
      if (other === one) break;
    }
    if (bytes <= limits.manifestBytesPerNode) return null;
    return `The manifests of the gateway's mappers have more than ${limits.manifestBytesPerNode} bytes together`;
  }
  function knownOfNode(page: TenantPage, node: string): KnownMapper[] {
    const told = page.told.get(node) ?? [];
    return told.flatMap((one) => {
      const manifest = refusalOf(page, told, one) === null ? usable(page, one) : null;
      return manifest === null ? [] : [{ manifest, isClouds: false, nodes: [node] }];
    });
  }

  return {
    own,
    /** as the gateway last said; null when it never did */
    told: (tenant: string, node: string): readonly ToldMapper[] | null => tenants.get(tenant)?.told.get(node) ?? null,
    tell(tenant: string, node: string, told: readonly ToldMapper[] | null): void {
      const page = pageOf(tenant);
      if (told === null) page.told.delete(node);
      else page.told.set(node, told);
      page.byNode.delete(node);
      page.ofAll = null;
    },
    hold(tenant: string, hash: string, held: HeldManifest | null): void {
      const page = pageOf(tenant);
      if (held === null) page.held.delete(hash);
      else page.held.set(hash, held);
      page.byNode = new Map();
      page.ofAll = null;
      page.secretFields = null;
    },
    /** of what the gateway told, the hashes whose manifests nobody of its tenant gave yet */
    missing(tenant: string, node: string): string[] {
      const page = pageOf(tenant);
      const hashes = (page.told.get(node) ?? []).map(({ hash }) => hash);
      return [...new Set(hashes)].filter((hash) => !page.held.has(hash));
    },
    /** held, and told of by no gateway of the tenant any more */
    unused(tenant: string): string[] {
      const page = pageOf(tenant);
      const used = new Set([...page.told.values()].flatMap((told) => told.map(({ hash }) => hash)));
      return [...page.held.keys()].filter((hash) => !used.has(hash));
    },
    /** by which a gateway's devices are checked; the same array until something changes */
    ofNode(tenant: string, node: string): readonly MapperManifest[] {
      const page = tenants.get(tenant);
      if (page === undefined || !page.told.has(node)) return own;
      const known = page.byNode.get(node) ?? manifestsOfNode([...clouds, ...knownOfNode(page, node)], node);
      page.byNode.set(node, known);
      return known;
    },
    /** by which what belongs to no gateway is checked */
    ofTenant(tenant: string): readonly MapperManifest[] {
      const page = tenants.get(tenant);
      if (page === undefined) return own;
      page.ofAll ??= manifestsOfTenant([
        ...clouds,
        ...[...page.told.keys()].flatMap((node) => knownOfNode(page, node)),
      ]);
      return page.ofAll;
    },
    /** Fields that any manifest held calls secret, whoever has it and whatever else counts: "connection.password". */
    secretFields(tenant: string): ReadonlySet<string> {
      const page = tenants.get(tenant);
      if (page === undefined) return ownSecretFields;
      const heldFields = () =>
        [...page.held.values()].flatMap((one) => ("manifest" in one ? secretFieldsOf(one.manifest) : []));
      page.secretFields ??= new Set([...ownSecretFields, ...heldFields()]);
      return page.secretFields;
    },
    /** of a gateway's mappers those that cannot be used, each with the reason */
    refused(tenant: string, node: string): { readonly name: string; readonly reason: string }[] {
      const page = pageOf(tenant);
      const told = page.told.get(node) ?? [];
      return told.flatMap((one) => {
        const reason = refusalOf(page, told, one);
        return reason === null ? [] : [{ name: one.name, reason }];
      });
    },
    /** every mapper of a tenant, by name and version */
    entries(tenant: string): BookEntry[] {
      const page = pageOf(tenant);
      const found = new Map<string, BookEntry & { nodes: string[] }>();
      const add = (key: string, node: string | null, entry: Omit<BookEntry, "nodes">) => {
        const one = found.get(key) ?? { ...entry, nodes: [] };
        if (node !== null) one.nodes.push(node);
        found.set(key, one);
      };
      for (const manifest of own) {
        const { name, version } = manifest;
        const likeness = ownLikeness.get(manifest)!;
        add(`${name} ${version}`, null, { name, version, isClouds: true, manifest, likeness, problem: null });
      }
      for (const [node, told] of page.told) {
        for (const one of told) {
          const { name, version, hash } = one;
          const refusal = refusalOf(page, told, one);
          const manifest = refusal === null ? usable(page, one) : null;
          const clouds = cloudsOf(one);
          const held = page.held.get(hash);
          const likeness = manifest !== null && held !== undefined && "likeness" in held ? held.likeness : null;
          if (clouds !== undefined && likeness === ownLikeness.get(clouds)) {
            add(`${name} ${version}`, node, {
              name,
              version,
              isClouds: true,
              manifest: clouds,
              likeness,
              problem: null,
            });
            continue;
          }
          const waiting = manifest === null ? "Its manifest has not come yet" : null;
          const passed =
            clouds === undefined ? waiting : "The cloud's own of this version counts, which states otherwise";
          add(`${name} ${version} ${hash}`, node, {
            name,
            version,
            isClouds: false,
            manifest,
            likeness,
            problem: refusal ?? passed,
          });
        }
      }
      return [...found.values()].sort((a, b) =>
        a.name === b.name ? order(a.version, b.version) : order(a.name, b.name),
      );
    },
    tenants: () => [...tenants.keys()],
  };
}
export type MapperBook = ReturnType<typeof createMapperBook>;

function emptyPage(): TenantPage {
  return { told: new Map(), held: new Map(), byNode: new Map(), ofAll: null, secretFields: null };
}

function order(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
