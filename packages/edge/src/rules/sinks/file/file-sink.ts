import { limits, parseDuration, type RuleActionOf } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import { type Files, makeDurableFolder } from "@penstock/runtime";
import { rowText } from "../delivery/body.ts";
import type { Courier, Parcel, Refusal } from "../delivery/courier.ts";
import { Delivery } from "../delivery/delivery.ts";
import { refused, saidBy, unreachable } from "../delivery/peer-error.ts";
import { chosen } from "../row-json.ts";
import type { OpenSink, SinkParts } from "../sink-parts.ts";
import { filled } from "../template.ts";
import { csvLine, headOf } from "./csv-line.ts";
import { FileShelf } from "./file-shelf.ts";

const rollBytes = 16 * 1024 * 1024;
const keep = 5;
const nameBytes = 128;

/** Lines at the end of a file of the gateway. It is rolled at its size or age: x, x.1, x.2 …; the oldest go. */
class FileCourier implements Courier {
  readonly takesMany = true;
  readonly #settings: RuleActionOf<"file">;
  readonly #parts: SinkParts;
  readonly #files: Files;
  readonly #folder: string;
  #shelf: FileShelf | null = null;

  constructor(settings: RuleActionOf<"file">, parts: SinkParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#files = parts.files;
    this.#folder = `${parts.folder}/files`;
  }

  addressOf(row: ObjectValue): string {
    const name = filled(this.#settings.name, row);
    const fault = fileNameFault(name);
    if (fault !== null) throw refused(`write file ${JSON.stringify(name.slice(0, 64))}`, fault);
    return name;
  }

  async send({ address, rows }: Parcel): Promise<readonly Refusal[]> {
    const path = `${this.#folder}/${address}`;
    try {
      await makeDurableFolder(this.#files, this.#folder);
      this.#shelf ??= await this.#openShelf();
      const columns = await this.#columns(path, rows[0]!.row);
      const refusals: Refusal[] = [];
      const lines = rows.flatMap(({ row }, at) => {
        const line =
          columns === null ? rowText(this.#settings, row) : csvLine(columns, chosen(row, this.#settings.fields));
        if (line !== null) return [line.replaceAll(/\r?\n/g, columns === null ? " " : "\n")];
        refusals.push({ at, reason: `the file's columns are ${columns!.join(", ")}, and the row has others` });
        return [];
      });
      if (lines.length > 0) await this.#append(this.#shelf, { name: address, columns, text: `${lines.join("\n")}\n` });
      return refusals;
    } catch (error) {
      throw unreachable(`write file "${address}"`, saidBy(error), error);
    }
  }

  /** What a CSV file has for columns, or will have; null: it is not CSV. */
  async #columns(path: string, first: ObjectValue): Promise<readonly string[] | null> {
    const { format = "json", fields, template } = this.#settings;
    if (format !== "csv" || template !== undefined) return null;
    if (fields !== undefined) return fields;
    const isThere = await this.#files.exists(path);
    const known = isThere ? headOf(new TextDecoder().decode(await this.#start(path))) : null;
    return known ?? Object.keys(first);
  }

  async #start(path: string): Promise<Uint8Array> {
    const file = await this.#files.openRead(path);
    try {
      return await file.read(0, Math.min(65_536, await file.size()));
    } finally {
      await file.close();
    }
  }

  async #append(
    shelf: FileShelf,
    {
      name,
      columns,
      text,
    }: { readonly name: string; readonly columns: readonly string[] | null; readonly text: string },
  ): Promise<void> {
    const files = this.#files;
    const path = `${this.#folder}/${name}`;
    const bytes = new TextEncoder().encode(text);
    const head = columns === null ? "" : `${csvLine(columns, Object.fromEntries(columns.map((one) => [one, one])))}\n`;
    await shelf.makeRoom(name, bytes.length);
    let file = await files.openAppend(path);
    const isFull = file.length + bytes.length > (this.#settings.rollBytes ?? rollBytes);
    if (file.length > 0 && (isFull || shelf.isOver(name))) {
      await file.close();
      await shelf.roll(name);
      file = await files.openAppend(path);
    }
    const before = file.length;
    try {
      const isNew = before === 0;
      // A cut left half a line: what follows begins on its own.
      const begins = isNew ? head : (await this.#endsInBreak(path)) ? "" : "\n";
      await file.append([new TextEncoder().encode(begins), bytes]);
      await file.sync();
      if (isNew) await files.syncFolder(this.#folder);
    } finally {
      await file.close();
    }
    await shelf.wrote(name, file.length - before, before === 0);
  }

  async #endsInBreak(path: string): Promise<boolean> {
    const file = await this.#files.openRead(path);
    try {
      return (await file.read((await file.size()) - 1, 1))[0] === 10;
    } finally {
      await file.close();
    }
  }

  #openShelf(): Promise<FileShelf> {
    const { files, clock, folder, uid, action, rule, metrics, log } = this.#parts;
    const { rollEvery } = this.#settings;
    const gone = metrics.counter(
      "penstock_rules_files_removed_total",
      "Files' names that went to make room for others",
      {
        rule,
      },
    );
    return FileShelf.open({
      ...{ files, clock, folder: this.#folder, places: `${folder}/cache/${uid}/${action}-file-names` },
      ...{ keep: this.#settings.keep ?? keep, rollMs: rollEvery === undefined ? null : parseDuration(rollEvery) },
      ...{ names: limits.ruleFiles, bytes: limits.ruleFileBytes },
      onGone(name, bytes) {
        gone.add();
        log.info({ name, bytes }, "Files of an action are removed to make room");
      },
    });
  }

  async close(): Promise<void> {
    await this.#shelf?.close();
  }
}

/** @returns null: a name of a file, and of nothing else */
export function fileNameFault(name: string): string | null {
  if (name === "" || name.startsWith(".")) return "a name is not empty and does not start with a dot";
  if (/[/\\\p{Cc}]/u.test(name)) return "a name has no path separators and no control characters";
  return Buffer.byteLength(name) > nameBytes ? `a name has at most ${nameBytes} bytes` : null;
}

export const openFile: OpenSink<"file"> = (spec, parts) =>
  new Delivery({ kind: "file", spec, courier: new FileCourier(spec, parts), parts });
