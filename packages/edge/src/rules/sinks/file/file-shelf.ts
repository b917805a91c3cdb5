import { type Clock, type Files, type Journal, openJournal } from "@penstock/runtime";
import { turnAt } from "../cache/folder-turns.ts";

/** What is known of one file that an action writes. Milliseconds since 1970. */
interface Place {
  /** when what is in it began */
  readonly begun: number;
  /** as of the last time that something was written down */
  readonly written: number;
}
type Places = Readonly<Record<string, Place>>;
type Entry = { readonly name: string; readonly place: Place } | { readonly gone: string };
function apply(places: Places, entry: Entry): Places {
  if ("place" in entry) return { ...places, [entry.name]: entry.place };
  const { [entry.gone]: _, ...rest } = places;
  return rest;
}

export interface FileShelfOptions {
  readonly files: Files;
  readonly clock: Clock;
  /** where the files stand */
  readonly folder: string;
  /** its own, for what it knows of them */
  readonly places: string;
  /** of one name, the one that is written to among them */
  readonly keep: number;
  /** after so long another file is begun; null: never */
  readonly rollMs: number | null;
  /** names that a template may make, and the bytes of all files; beyond, whole names go, the one written to longest ago first */
  readonly names: number;
  readonly bytes: number;
  /** a name whose files went for others */
  onGone(name: string, bytes: number): void;
}

/** The files of one action: x, x.1, x.2 … of each name that its template makes. They are bounded in number, age and size. */
export class FileShelf {
  readonly #options: FileShelfOptions;
  readonly #journal: Journal<Places, Entry>;
  readonly #leave: () => void;
  /** what the disk does not know yet: a file that is written to every second need not be told of every second */
  readonly #written = new Map<string, number>();
  /** of all files of a name */
  readonly #sizes = new Map<string, number>();

  private constructor(options: FileShelfOptions, journal: Journal<Places, Entry>, leave: () => void) {
    this.#options = options;
    this.#journal = journal;
    this.#leave = leave;
  }

  static async open(options: FileShelfOptions): Promise<FileShelf> {
    const { files, places: folder } = options;
    const leave = await turnAt(files, folder);
    try {
      const journal = await openJournal<Places, Entry>({ files, folder, initial: {}, apply, logBytes: 64 * 1024 });
      const shelf = new FileShelf(options, journal, leave);
      for (const name of Object.keys(journal.state)) shelf.#sizes.set(name, await shelf.#sizeOf(name));
      return shelf;
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Whether what is in the file is old enough that another one is to be begun. */
  isOver(name: string): boolean {
    const { rollMs } = this.#options;
    const begun = this.#journal.state[name]?.begun;
    return rollMs !== null && begun !== undefined && this.#now() - begun >= rollMs;
  }

  /** The file becomes x.1; the next line begins it anew. */
  async roll(name: string): Promise<void> {
    const { files, folder, keep } = this.#options;
    if (await files.exists(this.#path(name, keep - 1))) await files.remove(this.#path(name, keep - 1));
    for (let number = keep - 2; number >= 0; number--)
      if (await files.exists(this.#path(name, number)))
        await files.rename(this.#path(name, number), this.#path(name, number + 1));
    await files.syncFolder(folder);
    this.#sizes.set(name, await this.#sizeOf(name));
  }

  /** Makes room for so many more bytes of a name. */
  async makeRoom(name: string, more: number): Promise<void> {
    const { names, bytes } = this.#options;
    for (;;) {
      const others = [...this.#sizes.keys()].filter((one) => one !== name);
      const all = [...this.#sizes.values()].reduce((sum, one) => sum + one, more);
      if (others.length < names && (all <= bytes || others.length === 0)) return;
      await this.#remove(others.reduce((a, b) => (this.#writtenAt(b) < this.#writtenAt(a) ? b : a)));
    }
  }

  /** @param isNew  the file was empty */
  async wrote(name: string, bytes: number, isNew: boolean): Promise<void> {
    const now = this.#now();
    this.#sizes.set(name, (this.#sizes.get(name) ?? 0) + bytes);
    this.#written.set(name, now);
    if (isNew || this.#journal.state[name] === undefined)
      await this.#journal.append({ name, place: { begun: now, written: now } });
  }

  async close(): Promise<void> {
    for (const [name, written] of this.#written) {
      const place = this.#journal.state[name];
      if (place !== undefined && place.written !== written)
        await this.#journal.append({ name, place: { ...place, written } });
    }
    await this.#journal.close().finally(() => this.#leave());
  }

  async #remove(name: string): Promise<void> {
    const { files, folder, keep, onGone } = this.#options;
    for (let number = keep - 1; number >= 0; number--)
      if (await files.exists(this.#path(name, number))) await files.remove(this.#path(name, number));
    await files.syncFolder(folder);
    onGone(name, this.#sizes.get(name) ?? 0);
    this.#sizes.delete(name);
    this.#written.delete(name);
    await this.#journal.append({ gone: name });
  }

  async #sizeOf(name: string): Promise<number> {
    const { files, keep } = this.#options;
    let bytes = 0;
    for (let number = 0; number < keep; number++) {
      const path = this.#path(name, number);
      // They follow each other: behind a gap is nothing.
      if (!(await files.exists(path))) {
        if (number > 0) break;
        continue;
      }
      const file = await files.openRead(path);
      bytes += await file.size().finally(() => file.close());
    }
    return bytes;
  }

  #writtenAt(name: string): number {
    return this.#written.get(name) ?? this.#journal.state[name]?.written ?? 0;
  }

  #path(name: string, number: number): string {
    return `${this.#options.folder}/${name}${number === 0 ? "" : `.${number}`}`;
  }

  #now(): number {
    return Math.floor(this.#options.clock.now() / 1000);
  }
}
