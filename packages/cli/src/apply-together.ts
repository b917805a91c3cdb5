import { appliedTogether, type BodyOf, type Client, type Contract } from "@penstock/api";
import { limits, stringifyExact } from "@penstock/model";
import { byDocument } from "./by-document.ts";
import type { Document } from "./check-documents.ts";

/** Room for what stands around the documents of a request. */
const bytesMost = limits.requestBytes - 1024;

/**
 * Cuts documents into runs that one request can store as one change, in their order. Whatever cannot go with others is a
 * run of its own; so is what comes after the 1000th document or the last byte that a request may have.
 */
export function runsOf(documents: readonly Document[], tenantOf: (document: Document) => string): Document[][] {
  const runs: Document[][] = [];
  let open: { readonly run: Document[]; readonly tenant: string; bytes: number } | null = null;
  for (const document of documents) {
    const tenant = tenantOf(document);
    const bytes = Buffer.byteLength(stringifyExact(document)) + 1;
    const isAlone = !(appliedTogether as readonly string[]).includes(document.kind);
    const isFull = open === null || open.run.length === limits.changesPerRequest || open.bytes + bytes > bytesMost;
    if (open === null || isAlone || isFull || open.tenant !== tenant) {
      const run = [document];
      runs.push(run);
      open = isAlone ? null : { run, tenant, bytes };
    } else {
      open.run.push(document);
      open.bytes += bytes;
    }
  }
  return runs;
}

/** Stores documents of one tenant, all of them or nothing: two devices may trade places on their line. */
export async function applyTogether(client: Client, tenant: string, documents: readonly Document[]) {
  // A document of any of these kinds is a document; the server looks at the rest.
  const body = { documents: documents as unknown as BodyOf<Contract["changes"]["routes"]["apply"]>["documents"] };
  const { results } = await client.changes.apply({ params: { tenant }, body }).catch((error: unknown) => {
    throw byDocument(error, documents);
  });
  return results.map(({ kind, name, action }) => ({
    ...{ kind, name },
    result:
      action === "create" ? ("created" as const) : action === "update" ? ("changed" as const) : ("unchanged" as const),
  }));
}
