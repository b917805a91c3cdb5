import { dnsLabel, limits, type ToldMapper } from "@penstock/model";
import { bad, type Check, isBytes, list, shape, text } from "./link-check.ts";

/** Which mappers a gateway has, and their manifests: as they stand in messages of the link. */

const sha256: Check<string> = (value, path) =>
  typeof value === "string" && /^[0-9a-f]{64}$/.test(value) ? value : bad(path, "64 hex digits");

const mapperName: Check<string> = (value, path) =>
  typeof value === "string" && dnsLabel.test(value) ? value : bad(path, "the name of a mapper");

export const toldMappers = list(
  shape<ToldMapper>({ name: mapperName, version: text(64), hash: sha256 }),
  limits.mappersPerNode,
);
export const manifestHashes = list(sha256, limits.mappersPerNode);
export const manifestHash = sha256;

export const manifestText: Check<Uint8Array> = (value, path) => {
  const bytes = isBytes(value, path);
  return bytes.length <= limits.manifestBytes ? bytes : bad(path, `at most ${limits.manifestBytes} bytes`);
};
