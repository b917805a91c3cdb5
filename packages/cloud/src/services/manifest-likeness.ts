import { createHash } from "node:crypto";
import type { MapperManifest } from "@penstock/model";
import { canonical } from "./json.ts";

/** The same for manifests that state the same; where the module lies differs between a bundle and its source. */
export function likenessOf(manifest: MapperManifest): string {
  return createHash("sha256")
    .update(canonical({ ...manifest, main: "" }))
    .digest("hex");
}
