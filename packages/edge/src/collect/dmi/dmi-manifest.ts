import { createHash } from "node:crypto";
import { type MapperManifest, manifestVersion, type ToldMapper } from "@penstock/model";

const anything = { type: "object", properties: {}, additionalProperties: true } as const;

/**
 * What the cloud is told of a protocol whose mappers speak DMI: they state no schemas, so every setting is taken as it is.
 * The same on every gateway, whatever the mapper behind it.
 *
 * @param protocol  its label
 */
export function dmiManifest(protocol: string): { readonly told: ToldMapper; readonly text: Uint8Array } {
  const version = "1.0.0";
  const manifest: MapperManifest = {
    manifest: manifestVersion,
    ...{ name: protocol, summary: `Devices of "${protocol}" by a mapper that speaks KubeEdge's DMI`, version },
    sdk: { min: 1, max: 1 },
    main: "./dmi.js",
    connection: {
      ...anything,
      properties: { mapper: { type: "string", description: "name of the one mapper that shall serve it" } },
    },
    ...{ address: anything, visitor: anything, method: null, custom: null, rules: [], extent: null, cost: null },
    ...{ subscribes: true, permissions: [] },
  };
  const text = new TextEncoder().encode(JSON.stringify(manifest));
  return { told: { name: protocol, version, hash: createHash("sha256").update(text).digest("hex") }, text };
}
