import { createReadStream } from "node:fs";
import { AppError, limits, narrowIntegers } from "@penstock/model";
import type { Command } from "commander";
import { parseAllDocuments } from "yaml";
import { type ContextFlags, connect } from "../context.ts";
import { doing } from "../doing.ts";
import { type AnyResource, type KindName, kindOfResource, paramsOf, verbsOf } from "../kind-names.ts";
import { type Format, formatOf, print } from "../output.ts";

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly tenant?: string };
  readonly [key: string]: unknown;
}
type Outcome = { readonly kind: string; readonly name: string; readonly result: "created" | "changed" | "unchanged" };

/** What must exist before what refers to it. */
const order: readonly KindName[] = ["tenants", "users", "nodes", "connections", "deviceModels", "devices"];

export function applyCommand(program: Command): void {
  program
    .command("apply")
    .description("create or change resources from a YAML or JSON file (- for standard input)")
    .requiredOption("-f, --file <file...>", "files with one or more documents")
    .option("-o, --output <format>", "json or yaml")
    .action(async (options: { file: string[]; output?: string }, command: Command) => {
      await apply({ ...options, flags: command.optsWithGlobals() as ContextFlags, format: formatOf(options.output) });
    });
}

async function apply(options: {
  readonly file: readonly string[];
  readonly flags: ContextFlags;
  readonly format: Format;
}): Promise<void> {
  const documents: Document[] = [];
  for (const file of options.file) documents.push(...(await doing(`apply "${file}"`, () => readDocuments(file))));
  const { client, context } = connect(options.flags);
  const outcomes: Outcome[] = [];
  const sorted = documents
    .map((document) => ({ document, kind: kindOfResource(document.kind) }))
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  for (const { document, kind } of sorted) {
    const outcome = await doing(`apply ${document.kind} "${document.metadata.name}"`, () =>
      applyOne({ verbs: verbsOf(client, kind), kind, document, tenant: document.metadata.tenant ?? context.tenant }),
    );
    outcomes.push(outcome);
    if (options.format === "text") console.log(`${outcome.kind} "${outcome.name}" ${outcome.result}`);
  }
  if (options.format !== "text") print(options.format, outcomes, () => "");
}

export async function applyOne(options: {
  readonly verbs: ReturnType<typeof verbsOf>;
  readonly kind: KindName;
  readonly document: Document;
  readonly tenant: string;
}): Promise<Outcome> {
  const { verbs, kind, document, tenant } = options;
  const name = document.metadata.name;
  const params = paramsOf(kind, tenant, name);
  const existing = await verbs.get({ params }).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "resource/not-found") return null;
    throw error;
  });
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
  const text = await readBounded(file);
  // Aliases are bounded, so that a small file cannot unfold into a huge one.
  const parsed = parseAllDocuments(text, { maxAliasCount: 100, intAsBigInt: true } as never) as ReturnType<
    typeof parseAllDocuments
  >;
  const documents = "empty" in parsed ? [] : [...parsed];
  return documents.flatMap((document, index) => {
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
    return [checkDocument(value, `${file}, document ${index + 1}`)];
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
  kindOfResource(document.kind);
  if (typeof document.metadata?.name !== "string") {
    const field = { field: "metadata.name", value: String(document.metadata?.name), rule: "must be given, as text" };
    throw new AppError("input/invalid", `Invalid ${field.field} in ${where}: ${field.value}: ${field.rule}`, {
      fields: [field],
    });
  }
  return document as Document;
}
