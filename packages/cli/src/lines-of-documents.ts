import type { BodyOf, Client, Contract } from "@penstock/api";
import { AppError, type ErrorCode, limits } from "@penstock/model";
import { byDocument } from "./by-document.ts";
import type { Document } from "./check-documents.ts";
import { type KindName, kindOfResource } from "./kind-names.ts";
import type { Lines } from "./lines-table.ts";

/** What a change of may change the load of a line; a new gateway may come with them. */
const lineKinds: ReadonlySet<KindName> = new Set(["nodes", "connections", "deviceModels", "devices"]);
/** Those who may only read may still check their files, and a tenant may come with its devices. */
const untold: readonly ErrorCode[] = ["request/forbidden", "resource/not-found"];

/**
 * What documents would make of the lines they touch, as the server says.
 *
 * @throws AppError as storing them would, when nothing is to be stored; else that is left to storing them, one by one
 */
export async function linesOfDocuments(options: {
  readonly client: Client;
  /** of documents that do not say */
  readonly tenant: string;
  readonly documents: readonly Document[];
  readonly dryRun: boolean;
}): Promise<Lines> {
  const { client, dryRun } = options;
  const described = options.documents.filter(({ kind }) => lineKinds.has(kindOfResource(kind)));
  const lines: Lines[] = [];
  for (const [tenant, documents] of Map.groupBy(described, ({ metadata }) => metadata.tenant ?? options.tenant)) {
    if (documents.length > limits.changesPerRequest) {
      console.error(`The load of lines is told of at most ${limits.changesPerRequest} documents at once`);
      continue;
    }
    try {
      // What else a document holds is for the server to look at.
      const body = { documents: documents as unknown as BodyOf<Contract["changes"]["routes"]["preview"]>["documents"] };
      lines.push((await client.changes.preview({ params: { tenant }, body })).lines);
    } catch (error) {
      if (!dryRun || (error instanceof AppError && untold.includes(error.code))) continue;
      throw byDocument(error, documents);
    }
  }
  return lines.flat();
}
