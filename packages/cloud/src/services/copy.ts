import {
  AppError,
  type CopyRequest,
  type CopyRow,
  copyRowText,
  type FieldError,
  hiddenSecret,
  invalid,
  planCopies,
} from "@penstock/model";
import type { Bulk } from "./bulk.ts";
import type { Caller, CheckingContext } from "./context.ts";
import { findDevice } from "./device-lookup.ts";
import type { LineChange } from "./line-loads.ts";
import { modelOf, openModelOf } from "./model-versions.ts";
import { specOf } from "./resource-rows.ts";

export interface CopyView {
  device: string;
  /** number of the change set, for undo; null for a dry run */
  change: number | null;
  /** of a dry run: what the copies would make of their lines */
  lines: LineChange[];
  rows: { row: number; name: string; fields: { field: string; step: string; from: unknown; to: unknown }[] }[];
}

/** Copies of a device by a pattern: planned by the model, checked and stored like any bulk change. */
export function createCopies(context: CheckingContext, bulk: Bulk) {
  const { db, secrets } = context;
  return {
    /**
     * All copies or none. A dry run checks exactly the same and stores nothing.
     *
     * @throws AppError input/invalid naming row and column of everything that cannot be
     */
    async create(
      caller: Caller,
      ref: { readonly tenant: string; readonly device: string },
      request: CopyRequest & { readonly dryRun?: boolean | undefined },
    ): Promise<CopyView> {
      const { tenant, row, spec } = await findDevice(db, caller, ref);
      const model = await modelOf(db, { tenant, device: row.uid, spec });
      const metadata = {
        name: row.name,
        ...(row.display_name === null ? {} : { displayName: row.display_name }),
        labels: JSON.parse(row.labels) as Record<string, string>,
      };
      // Planned without secrets, so that none gets into a preview or an error; the copies then have those of the source.
      const stored = [secrets.open(row), await openModelOf(db, { tenant, device: row.uid, spec }, secrets)];
      const isSecret = (field: string) => secrets.isSecretField(tenant, field);
      const planned = withoutSteps(isSecret, () =>
        planCopies({ metadata, spec: specOf(row) }, model?.spec ?? null, request),
      );
      const { id, lines } = await bulk
        .applyMany(caller, ref.tenant, {
          changes: planned.map(({ name, document }) => {
            const spec = secrets.keepStored({ tenant_uid: tenant, kind: "Device" }, document.spec, stored);
            return { kind: "Device", name, document: { ...document, spec }, create: true };
          }),
          dryRun: request.dryRun === true,
          reason: "copy",
          note: `Device "${row.name}" to ${noteOf(request.pattern)}`,
        })
        .catch((error: unknown) => {
          throw byRow(error, planned);
        });
      const shown = (field: CopyRow["fields"][number]) =>
        isSecret(field.field) ? { ...field, from: hiddenSecret, to: hiddenSecret } : field;
      const rows = planned.map(({ row, name, fields }) => ({ row, name, fields: fields.map(shown) }));
      return { device: row.name, change: id === null ? null : Number(id), lines, rows };
    },
  };
}
export type Copies = ReturnType<typeof createCopies>;

function noteOf(pattern: CopyRequest["pattern"]): string {
  const text = typeof pattern === "string" ? pattern : pattern.join(" ");
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}

/** A step of a secret is a secret too: a refusal tells neither. */
function withoutSteps<T>(isSecret: (field: string) => boolean, plan: () => T): T {
  try {
    return plan();
  } catch (error) {
    if (!(error instanceof AppError) || error.fields.length === 0) throw error;
    const rule = "cannot be stepped so: the step of a secret must be a list, or text with a placeholder";
    throw invalid(error.fields.map((one) => (isSecret(one.field) ? { ...one, value: "(hidden)", rule } : one)));
  }
}

/** "changes[2].spec.address.unitId" is the row and column that the preview shows. */
function byRow(error: unknown, rows: readonly CopyRow[]): unknown {
  if (!(error instanceof AppError) || error.fields.length === 0) return error;
  const fields = error.fields.map((one): FieldError => {
    const [, index, rest = ""] = /^changes\[(\d+)\](?:\.(?:spec\.|metadata\.)?(.*))?$/.exec(one.field) ?? [];
    const at = index === undefined ? undefined : rows[Number(index)];
    return at === undefined ? one : { ...one, field: `${copyRowText(at.row, at.name)} ${rest}`.trimEnd() };
  });
  return invalid(fields);
}
