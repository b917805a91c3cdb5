import type { Client } from "@penstock/api";
import { AppError, type KnownMapper, type MapperManifest, manifestsOfTenant } from "@penstock/model";

/** By which manifests the server checks: of a gateway's devices, or with null of what belongs to no gateway. */
export type ManifestsOf = (node: string | null) => Promise<readonly MapperManifest[]>;

/** Each gateway's are asked for once; one that the server does not have yet has the cloud's. */
export function manifestsOf(client: Client, tenant: string): ManifestsOf {
  const known = new Map<string | null, Promise<readonly MapperManifest[]>>();
  async function ask(node: string | null): Promise<readonly MapperManifest[]> {
    const query = node === null ? {} : { node };
    const { items } = await client.mappers.ofTenant({ params: { tenant }, query });
    const held = items.flatMap(({ manifest, cloud, nodes }): KnownMapper[] =>
      // The server has read them as such.
      manifest === null ? [] : [{ manifest: manifest as unknown as MapperManifest, isClouds: cloud, nodes }],
    );
    return node === null ? manifestsOfTenant(held) : held.map(({ manifest }) => manifest);
  }
  async function ofCloud(error: unknown): Promise<readonly MapperManifest[]> {
    if (!(error instanceof AppError) || error.code !== "resource/not-found") throw error;
    return (await client.mappers.list({})).items as unknown as MapperManifest[];
  }
  return (node) => {
    const asked = known.get(node) ?? (node === null ? ask(null) : ask(node).catch(ofCloud));
    known.set(node, asked);
    return asked;
  };
}
