import type { MapperManifest } from "./mapper-manifest.ts";

/** A mapper as a gateway tells of it: the manifest is asked for by its hash where it is not known. */
export interface ToldMapper {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the text of `mapper.json`, 64 hex digits */
  readonly hash: string;
}

/** The mappers that a gateway finds, for its link to tell of. */
export interface OwnMappers {
  list(): readonly ToldMapper[];
  /** the text of a manifest in the list, as bytes; null when it is not in it any more */
  manifest(hash: string): Uint8Array | null;
  onChange(listener: () => void): () => void;
}

/** A manifest that the cloud holds, and who has such a mapper. */
export interface KnownMapper {
  readonly manifest: MapperManifest;
  /** the cloud was started with it */
  readonly isClouds: boolean;
  /** the gateways that have it, by whatever identifies them to the caller */
  readonly nodes: readonly string[];
}

/**
 * By which manifests a gateway's devices are checked: its own, and the cloud's under every other name. Of one name and
 * version the cloud's counts, so that no gateway changes what a mapper of the platform demands.
 *
 * @param known  of one tenant
 */
export function manifestsOfNode(known: readonly KnownMapper[], node: string): MapperManifest[] {
  const own = known.filter(({ nodes }) => nodes.includes(node)).map(({ manifest }) => manifest);
  const clouds = known.filter(({ isClouds }) => isClouds).map(({ manifest }) => manifest);
  const isTheSame = (a: MapperManifest, b: MapperManifest) => a.name === b.name && a.version === b.version;
  const counting = own.map((manifest) => clouds.find((one) => isTheSame(one, manifest)) ?? manifest);
  const names = new Set(counting.map(({ name }) => name));
  return [...counting, ...clouds.filter(({ name }) => !names.has(name))];
}

/** One manifest of each name, for what belongs to no gateway: the cloud's, else that of the newest version. */
export function manifestsOfTenant(known: readonly KnownMapper[]): MapperManifest[] {
  const chosen = new Map<string, KnownMapper>();
  for (const one of known) {
    const before = chosen.get(one.manifest.name);
    if (before === undefined || isBetter(one, before)) chosen.set(one.manifest.name, one);
  }
  return [...chosen.values()].map(({ manifest }) => manifest);
}

function isBetter(a: KnownMapper, b: KnownMapper): boolean {
  if (a.isClouds !== b.isClouds) return a.isClouds;
  return a.manifest.version.localeCompare(b.manifest.version, "en", { numeric: true }) > 0;
}
