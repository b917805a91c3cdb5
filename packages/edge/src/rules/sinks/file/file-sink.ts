import type { RuleActionOf } from "@penstock/model";
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

const rollBytes = 16 * 1024 * 1024;
const keep = 5;
const nameBytes = 128;

/** Lines at the end of a file of the gateway. It is rolled at its size: x, x.1, x.2 …; the oldest go. */
class FileCourier implements Courier {
  readonly takesMany = true;
  readonly #settings: RuleActionOf<"file">;
  readonly #files: Files;
  readonly #folder: string;

  constructor(settings: RuleActionOf<"file">, { files, folder }: SinkParts) {
    this.#settings = settings;
    this.#files = files;
    this.#folder = `${folder}/files`;
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
      const columns = await this.#columns(path, rows[0]!.row);
      const refusals: Refusal[] = [];
      const lines = rows.flatMap(({ row }, at) => {
        const line =
          columns === null ? rowText(this.#settings, row) : csvLine(columns, chosen(row, this.#settings.fields));
        if (line !== null) return [line.replaceAll(/\r?\n/g, columns === null ? " " : "\n")];
        refusals.push({ at, reason: `the file's columns are ${columns!.join(", ")}, and the row has others` });
        return [];
      });
      if (lines.length > 0) await this.#append(path, columns, `${lines.join("\n")}\n`);
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

  async #append(path: string, columns: readonly string[] | null, text: string): Promise<void> {
    const files = this.#files;
    const bytes = new TextEncoder().encode(text);
    const head = columns === null ? "" : `${csvLine(columns, Object.fromEntries(columns.map((one) => [one, one])))}\n`;
    let file = await files.openAppend(path);
    if (file.length > 0 && file.length + bytes.length > (this.#settings.rollBytes ?? rollBytes)) {
      await file.close();
      await this.#roll(path);
      file = await files.openAppend(path);
    }
    try {
      const isNew = file.length === 0;
      // A cut left half a line: what follows begins on its own.
      const before = isNew ? head : (await this.#endsInBreak(path)) ? "" : "\n";
      await file.append([new TextEncoder().encode(before), bytes]);
      await file.sync();
      if (isNew) await files.syncFolder(this.#folder);
    } finally {
      await file.close();
    }
  }

  async #endsInBreak(path: string): Promise<boolean> {
    const file = await this.#files.openRead(path);
    try {
      return (await file.read((await file.size()) - 1, 1))[0] === 10;
    } finally {
      await file.close();
    }
  }

  async #roll(path: string): Promise<void> {
    const files = this.#files;
    const most = this.#settings.keep ?? keep;
    const place = (number: number) => (number === 0 ? path : `${path}.${number}`);
    // `keep` counts the one that is written to.
    if (await files.exists(place(most - 1))) await files.remove(place(most - 1));
    for (let number = most - 2; number >= 0; number--)
      if (await files.exists(place(number))) await files.rename(place(number), place(number + 1));
    await files.syncFolder(this.#folder);
  }

  async close(): Promise<void> {}
}

/** @returns null: a name of a file, and of nothing else */
export function fileNameFault(name: string): string | null {
  if (name === "" || name.startsWith(".")) return "a name is not empty and does not start with a dot";
  if (/[/\\\p{Cc}]/u.test(name)) return "a name has no path separators and no control characters";
  return Buffer.byteLength(name) > nameBytes ? `a name has at most ${nameBytes} bytes` : null;
}

export const openFile: OpenSink<"file"> = (spec, parts) =>
  new Delivery({ kind: "file", spec, courier: new FileCourier(spec, parts), parts });
