import { AppError, invalid, isKubeEdge } from "@penstock/model";
import type { connect } from "../context.ts";
import { doing } from "../doing.ts";
import { exitCodes } from "../exit-codes.ts";
import { type Findings, findingsText } from "../findings-table.ts";
import { linesText } from "../lines-table.ts";
import { type Format, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { withProgress } from "../with-progress.ts";
import { readYaml } from "./apply.ts";

/** "counter.yaml document 2": where a document was read, for people who have to mend it. */
type Place = string;

/**
 * Sends KubeEdge's documents as they are, and prints what became of each and every field that is not kept as it was. Ends
 * with `partly` when some documents are left out, as bad input when all are.
 */
export async function importKubeEdge(
  { client, context }: ReturnType<typeof connect>,
  options: {
    readonly files: readonly string[];
    readonly format: Format;
    readonly node?: string;
    readonly dryRun?: boolean;
  },
): Promise<void> {
  const { files, node, dryRun = false } = options;
  const documents: Record<string, unknown>[] = [];
  const places: Place[] = [];
  for (const file of files) {
    for (const [i, one] of (await doing(`import "${file}"`, () => readYaml(file))).entries()) {
      const place = `${file} document ${i + 1}`;
      mustBeKubeEdge(one, place);
      documents.push(one);
      places.push(place);
    }
  }
  const done = await doing(`import ${files.length === 1 ? `"${files[0]}"` : `${files.length} files`}`, () =>
    withProgress("Importing devices", () =>
      client.kubeedge.importDocuments({
        params: { tenant: context.tenant },
        body: { documents, dryRun, ...(node !== undefined && { node }) },
      }),
    ).catch((error: unknown) => {
      throw inFiles(error, places);
    }),
  );
  const findings = done.findings.map((one) => ({ ...one, document: inFile(one, places) }));
  const refused = new Set(findings.filter((one) => one.level === "refused").map((one) => one.document));
  print(options.format, { ...done, findings }, () => {
    const rows = done.results.map(({ kind, name, action }) => [
      kind,
      name,
      action === "unchanged" ? action : `${action}d`,
    ]);
    const parts = [tableText(["kind", "name", dryRun ? "would be" : "is"], rows)];
    if (findings.length > 0) parts.push("", findingsText(findings));
    if (refused.size > 0) {
      parts.push("", `${refused.size === 1 ? "1 document is" : `${refused.size} documents are`} left out:`);
      for (const one of refused) parts.push(`  ${one}`);
    }
    if (dryRun) parts.push("Nothing is stored");
    else if (done.change !== null) parts.push(`Change ${done.change}; penstock undo ${done.change} takes it back`);
    if (done.lines.length > 0) parts.push("", linesText(done.lines));
    return parts.join("\n");
  });
  if (refused.size === 0) return;
  process.exitCode = (done.results.length === 0 ? exitCodes.usage : exitCodes.partly).number;
}

function mustBeKubeEdge(document: unknown, place: Place): asserts document is Record<string, unknown> {
  if (isKubeEdge(document)) return;
  const { apiVersion } = (document ?? {}) as { readonly apiVersion?: unknown };
  const rule = "must be devices.kubeedge.io/…; Penstock's own documents go by penstock apply -f";
  throw invalid([{ field: `${place} apiVersion`, value: String(apiVersion), rule }]);
}

function inFile({ index, document }: Findings[number], places: readonly Place[]): string {
  const place = index === null ? undefined : places[index];
  return place === undefined ? document : `${place} ${document}`;
}

/** 'documents[3] Device "press" spec.node' of the request is 'line.yaml document 4 Device "press" spec.node'. */
function inFiles(error: unknown, places: readonly Place[]): unknown {
  if (!(error instanceof AppError) || error.fields.length === 0) return error;
  const fields = error.fields.map((one) => ({
    ...one,
    field: one.field.replace(/^documents\[(\d+)\]/, (whole, index: string) => places[Number(index)] ?? whole),
  }));
  return new AppError(error.code, error.message, { cause: error, fields });
}
