import { asLabel } from "./adapt-name.ts";
import type { Fields } from "./fields.ts";

const labelKey = /^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
/** What a cluster fills in, and we fill in anew. */
const filled = [
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "managedFields",
  "ownerReferences",
  "finalizers",
  "selfLink",
];

export interface KubeEdgeName {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export function takeMetadata(metadata: Fields, tenant: string): KubeEdgeName {
  const given = metadata.text("name") ?? "";
  const name = asLabel(given);
  if (name !== given) metadata.tell("name", { level: "note", why: `is no DNS label: taken as ${name}` });
  const namespace = metadata.text("namespace");
  if (namespace !== undefined && namespace !== tenant && namespace !== "default") {
    metadata.tell("namespace", {
      level: "note",
      why: `goes into tenant "${tenant}"`,
      todo: "use --tenant for another",
    });
  }
  const labels: Record<string, string> = {};
  const written = metadata.child("labels");
  for (const key of written.left()) {
    const value = written.text(key) ?? "";
    if (labelKey.test(key) && labelValue.test(value)) labels[key] = value;
    else
      written.tell(key, {
        level: "lossy",
        why: "labels have letters, digits, dots, dashes and underscores only",
        todo: "put it into custom",
      });
  }
  metadata.lose("annotations", "Penstock has labels and custom blocks, no annotations");
  for (const key of filled) metadata.take(key);
  return { name, labels };
}
