import { basename, dirname } from "node:path/posix";
import { type Cancel, type Clock, type Files, type Log, writeFile } from "@penstock/runtime";
import type { Registration } from "./mapper-link.ts";

/** A mapper that has registered, and the fingerprint of each device that it holds. */
export interface Kept {
  readonly registration: Registration;
  readonly held: Readonly<Record<string, string>>;
}

const writeWithinMs = 200;

/** The mappers that a restarted agent finds again, since those of KubeEdge's framework register only when they start. */
export class Registrations {
  readonly #options: { readonly path: string; readonly files: Files; readonly clock: Clock; readonly log: Log };
  readonly #all: () => readonly Kept[];
  #cancel: Cancel | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    options: { readonly path: string; readonly files: Files; readonly clock: Clock; readonly log: Log },
    all: () => readonly Kept[],
  ) {
    this.#options = options;
    this.#all = all;
  }

  /** What was kept; nothing of a file that cannot be read: its mappers register again. */
  static async read(files: Files, path: string, log: Log): Promise<Kept[]> {
    if (!(await files.exists(path))) return [];
    try {
      const kept: unknown = JSON.parse(new TextDecoder().decode(await files.readAll(path)));
      if (Array.isArray(kept) && kept.every(isKept)) return kept;
      throw new Error("it holds no list of mappers");
    } catch (error) {
      log.warn({ path, error }, "Cannot read which DMI mappers have registered");
      return [];
    }
  }

  changed(): void {
    this.#cancel ??= this.#options.clock.after(writeWithinMs, () => this.#write());
  }

  async close(): Promise<void> {
    if (this.#cancel !== null) {
      this.#cancel();
      this.#write();
    }
    await this.#writing;
  }

  #write(): void {
    const { files, path, log } = this.#options;
    this.#cancel = null;
    const bytes = JSON.stringify(this.#all());
    this.#writing = this.#writing
      .then(async () => {
        await files.makeFolder(dirname(path));
        await writeFile({ files, folder: dirname(path), name: basename(path), bytes });
      })
      // Without it a mapper is told its devices once more, or registers again.
      .catch((error: unknown) => log.warn({ path, error }, "Cannot keep which DMI mappers have registered"));
  }
}

function isKept(one: unknown): one is Kept {
  const { registration, held } = (one ?? {}) as Partial<Kept>;
  const { name, protocol, version, address } = (registration ?? {}) as Partial<Registration>;
  const isText =
    [name, protocol, address].every((text) => typeof text === "string" && text !== "") && typeof version === "string";
  return isText && typeof held === "object" && held !== null && Object.values(held).every((p) => typeof p === "string");
}
