import { createHash } from "node:crypto";
import { limits, type OwnMappers, type ToldMapper } from "@penstock/model";
import type { Cancel, Clock, Files, Log } from "@penstock/runtime";
import { type FoundManifest, mapperManifests } from "./mapper-manifests.ts";

/** The mappers that are installed, looked at again every few seconds: one that is added works without a restart. */
export interface MapperFolders extends OwnMappers {
  /** @param listener  told the names of mappers that came, went or are others now */
  onChange(listener: (names: readonly string[]) => void): () => void;
  /** resolves when nothing is in flight */
  close(): Promise<void>;
}

/** Some small files are read so often: a thousandth of a core. */
const lookEveryMs = 5000;

interface Installed {
  readonly told: ToldMapper;
  readonly found: FoundManifest;
}

/** Resolves after the first look. */
export async function openMapperFolders(options: {
  readonly folders: readonly string[];
  readonly files: Pick<Files, "list" | "exists" | "readAll">;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<MapperFolders> {
  const { folders, files, clock } = options;
  const log = options.log.with({ stage: "collect" });
  const listeners = new Set<(names: readonly string[]) => void>();
  let installed: ReadonlyMap<string, Installed> = new Map();
  /** what was last said of a path, so that it is said once */
  const complaints = new Map<string, string>();
  let cancel: Cancel = () => {};
  let looking: Promise<void> = Promise.resolve();
  let isClosed = false;

  function complain(path: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (complaints.get(path) === message) return;
    complaints.set(path, message);
    log.warn({ path, error }, "Passed over a mapper manifest");
  }

  async function look(): Promise<ReadonlyMap<string, Installed>> {
    const seen = new Map<string, Installed>();
    const take = (one: Installed) => {
      const { name } = one.told;
      if (!seen.has(name) && seen.size < limits.mappersPerNode) seen.set(name, one);
    };
    const onBroken = (path: string, error: unknown) => {
      complain(path, error);
      // A file that is being written is half a manifest for a moment.
      for (const one of installed.values()) if (one.found.path === path) take(one);
    };
    for await (const found of mapperManifests({ folders, files, onBroken })) {
      complaints.delete(found.path);
      take(installedOf(found));
    }
    return seen;
  }

  async function lookAgain(): Promise<void> {
    const before = installed;
    try {
      installed = await look();
    } catch (error) {
      complain(folders.join(", "), error);
      return;
    }
    const names = [...new Set([...before.keys(), ...installed.keys()])];
    const changed = names.filter((name) => before.get(name)?.told.hash !== installed.get(name)?.told.hash);
    if (changed.length === 0) return;
    log.info({ mappers: changed }, "The installed mappers changed");
    for (const listener of [...listeners]) listener(changed);
  }

  function plan(): void {
    if (isClosed) return;
    cancel = clock.after(lookEveryMs, () => {
      looking = lookAgain().finally(plan);
    });
  }

  installed = await look();
  plan();
  return {
    list: () => [...installed.values()].map(({ told }) => told),
    manifest(hash) {
      for (const { told, found } of installed.values()) if (told.hash === hash) return found.bytes;
      return null;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      isClosed = true;
      cancel();
      await looking;
    },
  };
}

function installedOf(found: FoundManifest): Installed {
  const { name, version } = found.manifest;
  return { told: { name, version, hash: createHash("sha256").update(found.bytes).digest("hex") }, found };
}
