import { AppError, limits, type RuleSourceSpec } from "@penstock/model";
import { declaredColumns, type Value } from "@penstock/rules";
import { type Cancel, crc32c, makeDurableFolder, writeFile } from "@penstock/runtime";
import { saidBy } from "../sinks/delivery/peer-error.ts";
import { fileNameFault } from "../sinks/file/file-sink.ts";
import { badMessages } from "./bad-messages.ts";
import { csvRecords } from "./csv-records.ts";
import { jsonRows } from "./json-rows.ts";
import { RowGate } from "./row-gate.ts";
import type { Source, SourceParts } from "./source-parts.ts";

const lookMs = 1_000;
const chunkBytes = 256 * 1024;
/** by its first bytes a file is known again */
const startBytes = 64;

/** How far a file has been read, and what its first bytes were. */
interface Place {
  readonly at: number;
  readonly start: string;
  /** CSV: the names of the columns */
  readonly head: readonly string[] | null;
}
const noPlace: Place = { at: 0, start: "", head: null };

/**
 * Lines that somebody appends to a file in `files/in` of the rules' folder: JSON objects, or CSV with a head. At least once:
 * how far it was read is written down after the rules have the rows. A file that begins otherwise than before, or is
 * shorter, is read from its start.
 *
 * @throws AppError input/invalid for a name that leads elsewhere
 */
export function openFileSource(spec: NonNullable<RuleSourceSpec["file"]>, parts: SourceParts): Source {
  const { clock, files, folder, log, name: source } = parts;
  const { name, format = "json" } = spec;
  const fault = fileNameFault(name);
  if (fault !== null) throw new AppError("input/invalid", `Cannot read file ${JSON.stringify(name)}: ${fault}`);
  const gate = new RowGate(parts);
  const bad = badMessages(parts);
  const path = `${folder}/files/in/${name}`;
  const places = `${folder}/files/places`;
  const placeName = crc32c(new TextEncoder().encode(source)).toString(16);
  const typeOf = parts.spec.columns === undefined ? null : declaredColumns(parts.spec.columns);
  let place: Place | null = null;
  let cancel: Cancel = () => {};
  let looking: Promise<void> = Promise.resolve();
  let isClosed = false;
  let isWell = true;

  const rowsOf = (text: string, head: Place["head"]) => {
    if (format === "json") {
      const used = text.lastIndexOf("\n") + 1;
      const lines = text
        .slice(0, used)
        .split("\n")
        .filter((line) => line.trim() !== "");
      const rows = lines.flatMap((line) => {
        const found = jsonRows(line);
        if (found === null) bad(name);
        return found ?? [];
      });
      return { rows, used, head };
    }
    const { records, used } = csvRecords(text);
    const [first, ...rest] = head === null ? records : [head, ...records];
    const rows = rest.flatMap((record) => {
      if (record.length !== first!.length) bad(name);
      else
        return [Object.fromEntries(record.map((cell, i) => [first![i]!, cellValue(cell, typeOf?.get(first![i]!)?.t)]))];
      return [];
    });
    return { rows, used, head: first ?? null };
  };
  /** One piece of the file. @returns whether there may be more */
  const step = async (): Promise<boolean> => {
    const file = await files.openRead(path);
    try {
      const size = await file.size();
      const start = Buffer.from(await file.read(0, Math.min(startBytes, size))).toString("latin1");
      if (size < place!.at || !start.startsWith(place!.start)) place = noPlace;
      const { at, head } = place!;
      const bytes = await file.read(at, Math.min(chunkBytes, size - at));
      const lastBreak = bytes.lastIndexOf(10);
      const found = rowsOf(Buffer.from(bytes.subarray(0, lastBreak + 1)).toString("utf8"), head);
      let used = Buffer.byteLength(found.used === 0 ? "" : Buffer.from(bytes).toString("utf8").slice(0, found.used));
      if (used === 0 && bytes.length >= Math.min(chunkBytes, limits.devicePayloadBytes)) {
        bad(name);
        used = bytes.length;
      }
      if (used === 0) return false;
      await gate.give(found.rows, { file: name });
      if (isClosed) return false;
      place = { at: at + used, start, head: found.head };
      await writeFile({ files, folder: places, name: placeName, bytes: JSON.stringify(place) });
      return at + used < size;
    } finally {
      await file.close();
    }
  };
  const look = async () => {
    try {
      if (place === null) {
        await makeDurableFolder(files, `${folder}/files/in`);
        await makeDurableFolder(files, places);
        const known = (await files.exists(`${places}/${placeName}`))
          ? await files.readAll(`${places}/${placeName}`)
          : null;
        place = known === null ? noPlace : (JSON.parse(new TextDecoder().decode(known)) as Place);
      }
      if (await files.exists(path)) while (await step());
      isWell = true;
    } catch (error) {
      if (isWell) log.warn({ source, reason: saidBy(error) }, "A file of a rule cannot be read");
      isWell = false;
    }
  };
  const next = (delayMs: number) => {
    cancel = clock.after(delayMs, () => {
      looking = look().then(() => {
        if (!isClosed) next(lookMs);
      });
    });
  };
  next(0);
  return {
    async close() {
      isClosed = true;
      cancel();
      gate.close();
      await Promise.race([looking, Promise.resolve()]);
    },
  };
}

const number = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** A cell, of the column's type where one is declared; otherwise of what it looks like. */
function cellValue(cell: string, type: string | undefined): Value {
  if (type === "string") return cell;
  if (cell === "") return null;
  if (type === undefined || type === "float" || type === "bigint" || type === "datetime")
    if (number.test(cell)) return Number(cell);
  if ((type === undefined || type === "boolean") && (cell === "true" || cell === "false")) return cell === "true";
  return cell;
}
