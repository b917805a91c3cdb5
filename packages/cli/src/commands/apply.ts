import { createReadStream } from "node:fs";
import type { Client } from "@penstock/api";
import { AppError, invalid, isKubeEdge, limits, narrowIntegers, sameData } from "@penstock/model";
import type { Command } from "commander";
import { parseAllDocuments } from "yaml";
import { applyTogether, runsOf } from "../apply-together.ts";
import { checkDocuments, type Document, documentText } from "../check-documents.ts";
import { type ContextFlags, connect } from "../context.ts";
import { doing } from "../doing.ts";
import { type AnyResource, type KindName, kindOfResource, paramsOf, verbsOf } from "../kind-names.ts";
import { linesOfDocuments } from "../lines-of-documents.ts";
import { linesText, lineWarnings } from "../lines-table.ts";
import { manifestsOf } from "../manifests-of.ts";
import { type Format, formatOf, print } from "../output.ts";
import { listAll } from "./get.ts";

type Outcome = { readonly kind: string; readonly name: string; readonly result: "created" | "changed" | "unchanged" };

/** What must exist before what refers to it. */
const order: readonly KindName[] = ["tenants", "users", "nodes", "connections", "deviceModels", "devices", "rules"];

export function applyCommand(program: Command): void {
  program
    .command("apply")
    .description("create or change resources from a YAML or JSON file (- for standard input)")
    .requiredOption("-f, --file <file...>", "files with one or more documents")
    .option("--dry-run", "check everything and say what would be done; nothing is changed")
    .option("-o, --output <format>", "json or yaml")
    .action(async (options: { file: string[]; dryRun?: boolean; output?: string }, command: Command) => {
      await apply({ ...options, flags: command.optsWithGlobals() as ContextFlags, format: formatOf(options.output) });
    });
}

async function apply(options: {
  readonly file: readonly string[];
  readonly dryRun?: boolean;
  readonly flags: ContextFlags;
  readonly format: Format;
}): Promise<void> {
  const documents: Document[] = [];
  for (const file of options.file) documents.push(...(await doing(`apply "${file}"`, () => readDocuments(file))));
  const { client, context } = connect(options.flags);
  const outcomes: Outcome[] = [];
  if (options.dryRun === true) await checkAll(client, context.tenant, documents);
  const lines = await linesOfDocuments({ client, tenant: context.tenant, documents, dryRun: options.dryRun === true });
  if (options.dryRun !== true) for (const warning of lineWarnings(lines)) console.error(warning);
  const sorted = documents.toSorted(
    (a, b) => order.indexOf(kindOfResource(a.kind)) - order.indexOf(kindOfResource(b.kind)),
  );
  const tenantOf = (document: Document) => document.metadata.tenant ?? context.tenant;
  for (const run of options.dryRun === true ? sorted.map((one) => [one]) : runsOf(sorted, tenantOf)) {
    const [document] = run as [Document];
    const [kind, tenant] = [kindOfResource(document.kind), tenantOf(document)];
    const at = { verbs: verbsOf(client, kind), kind, document, tenant };
    const what = run.length === 1 ? `${document.kind} "${document.metadata.name}"` : `${run.length} documents`;
    const reached = await doing(`apply ${what}`, async () => {
      if (run.length > 1) return applyTogether(client, tenant, run);
      return [options.dryRun === true ? await wouldApply(at) : await applyOne(at)];
    });
    outcomes.push(...reached);
    for (const { kind, name, result } of reached) {
      const done = options.dryRun !== true ? "" : result === "unchanged" ? "stays " : "would be ";
      if (options.format === "text") console.log(`${kind} "${name}" ${done}${result}`);
    }
  }
  if (options.dryRun !== true) {
    if (options.format !== "text") print(options.format, outcomes, () => "");
    return;
  }
  if (options.format !== "text") print(options.format, { results: outcomes, lines }, () => "");
  else if (lines.length > 0) console.log(`\n${linesText(lines)}`);
}

/** @throws AppError input/invalid with all that is wrong with all documents, by the manifests that the server has */
async function checkAll(client: Client, tenant: string, documents: readonly Document[]): Promise<void> {
  const broken = await checkDocuments({
    documents,
    manifests: manifestsOf(client, tenant),
    lookUp: async (kind, name) => (await found(verbsOf(client, kind), paramsOf(kind, tenant, name)))?.spec ?? null,
    devices: async () =>
      (await listAll({ client, kind: "devices", tenant })).map(({ metadata, spec }) => ({ name: metadata.name, spec })),
  });
  const [first] = broken;
  if (first === undefined) return;
  const fields = broken.flatMap(({ document, fields }) =>
    fields.map((one) => (broken.length === 1 ? one : { ...one, field: `${documentText(document)} ${one.field}` })),
  );
  await doing(
    broken.length === 1 ? `apply ${documentText(first.document)}` : `apply ${broken.length} documents`,
    async () => {
      throw invalid(fields);
    },
  );
}

interface ApplyOptions {
  readonly verbs: ReturnType<typeof verbsOf>;
  readonly kind: KindName;
  readonly document: Document;
  readonly tenant: string;
}

async function wouldApply({ verbs, kind, document, tenant }: ApplyOptions): Promise<Outcome> {
  const { name } = document.metadata;
  const existing = await found(verbs, paramsOf(kind, tenant, name));
  if (existing === null) return { kind: document.kind, name, result: "created" };
  const of = ({ metadata, spec }: { readonly metadata: object; readonly spec?: unknown }) => {
    const { labels = {}, displayName = null } = metadata as Partial<AnyResource["metadata"]>;
    return { labels, displayName, spec };
  };
  return { kind: document.kind, name, result: sameData(of(existing), of(document)) ? "unchanged" : "changed" };
}

/** null when there is none of that name */
async function found(verbs: ApplyOptions["verbs"], params: object): Promise<AnyResource | null> {
  return verbs.get({ params }).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "resource/not-found") return null;
    throw error;
  });
}

export async function applyOne({ verbs, kind, document, tenant }: ApplyOptions): Promise<Outcome> {
  const name = document.metadata.name;
  const params = paramsOf(kind, tenant, name);
  const existing = await found(verbs, params);
  if (existing === null) {
    await verbs.put({ params, body: document, create: true });
    return { kind: document.kind, name, result: "created" };
  }
  const changed = await verbs.put({ params, body: document, ifMatch: existing.metadata.resourceVersion });
  return { kind: document.kind, name, result: sameVersion(existing, changed) ? "unchanged" : "changed" };
}

function sameVersion(a: AnyResource, b: AnyResource): boolean {
  return a.metadata.resourceVersion === b.metadata.resourceVersion;
}

/** @throws AppError input/not-yaml with line and column, input/too-large, input/invalid when kind or name is missing */
export async function readDocuments(file: string): Promise<Document[]> {
  const values = await readYaml(file);
  return values.map((value, index) => checkDocument(value, `${file}, document ${index + 1}`));
}

/** The documents of a file as they are, empty ones left out. @throws as readDocuments, but for what they must hold */
export async function readYaml(file: string): Promise<unknown[]> {
  const text = await readBounded(file);
  // Aliases are bounded, so that a small file cannot unfold into a huge one.
  const parsed = parseAllDocuments(text, { maxAliasCount: 100, intAsBigInt: true } as never) as ReturnType<
    typeof parseAllDocuments
  >;
  const documents = "empty" in parsed ? [] : [...parsed];
  return documents.flatMap((document) => {
    const problem = document.errors[0];
    if (problem !== undefined)
      throw new AppError("input/not-yaml", `Cannot apply "${file}": ${problem.message.split("\n")[0]}`);
    let value: unknown;
    try {
      value = narrowIntegers(document.toJS({ maxAliasCount: 100 }));
    } catch (cause) {
      throw new AppError("input/not-yaml", `Cannot apply "${file}": ${(cause as Error).message}`, { cause });
    }
    if (value === null) return [];
    return [value];
  });
}

/** Reads no further than the limit: standard input may never end. */
async function readBounded(file: string): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of file === "-" ? process.stdin : createReadStream(file)) {
      parts.push(part as Buffer);
      bytes += (part as Buffer).length;
      if (bytes > limits.resourceBytes) break;
    }
  } catch (cause) {
    throw new AppError("input/invalid", `Cannot read "${file}": ${(cause as Error).message}`, { cause });
  }
  if (bytes > limits.resourceBytes)
    throw new AppError("input/too-large", `Cannot apply "${file}": more than ${limits.resourceBytes} bytes`);
  return Buffer.concat(parts).toString("utf8");
}

function checkDocument(value: unknown, where: string): Document {
  const document = value as Partial<Document>;
  if (typeof value !== "object" || Array.isArray(value))
    throw new AppError("input/invalid", `Invalid ${where}: must be a map with kind, metadata and spec`);
  if (isKubeEdge(document)) {
    throw new AppError("input/unknown-kind", `${where} is a document of KubeEdge: use penstock import`);
  }
  kindOfResource(document.kind);
  if (typeof document.metadata?.name !== "string") {
    const field = { field: "metadata.name", value: String(document.metadata?.name), rule: "must be given, as text" };
    throw new AppError("input/invalid", `Invalid ${field.field} in ${where}: ${field.value}: ${field.rule}`, {
      fields: [field],
    });
  }
  return document as Document;
}
