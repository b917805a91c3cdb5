import { type AssignedChange, type AssignedSet, diffAssigned, isEmptyChange } from "@penstock/model";
import {
  type Codec,
  type Files,
  type Log,
  openJournal,
  plainCodec,
  type SecretBox,
  sealedCodec,
} from "@penstock/runtime";
import { checkAssignedSet } from "./check-assigned.ts";

/** What the gateway last accepted; it starts and works from this with no cloud in reach. */
export interface Resources {
  /** what is on disk; null before the first assignment */
  current(): AssignedSet | null;
  /**
   * Durable when it resolves, and listeners have been told. The same version twice changes nothing; an older one is
   * ignored, unless the gateway has since joined as another node, whose versions count for themselves.
   *
   * @throws AppError input/invalid when the set breaks a rule, data/disk-full, data/write-failed; then nothing changed
   */
  apply(set: AssignedSet): Promise<void>;
  /** called after the change is durable, in order, also when only names or the time zone differ */
  onChange(listener: (change: AssignedChange) => void): () => void;
  close(): Promise<void>;
}

/** @param options.secrets  what is on disk is sealed as a whole: the settings of devices hold their passwords */
export async function openResources(options: {
  readonly files: Files;
  readonly folder: string;
  readonly secrets: SecretBox;
  readonly log: Log;
}): Promise<Resources> {
  const { files, folder, secrets } = options;
  const log = options.log.with({ stage: "resources" });
  const journal = await openJournal<AssignedSet | null, AssignedSet>({
    files,
    folder,
    initial: null,
    apply: (_before, set) => set,
    stateCodec: sealedCodec(setCodec(), secrets, "resources state"),
    entryCodec: sealedCodec(setCodec(), secrets, "resources entry"),
  });
  const listeners = new Set<(change: AssignedChange) => void>();
  // One at a time: two sets that arrive together must not both be compared with the one before them.
  let last: Promise<void> = Promise.resolve();

  const applyNext = async (set: AssignedSet): Promise<void> => {
    const before = journal.state;
    if (before !== null && before.node.uid === set.node.uid && set.version <= before.version) return;
    await journal.append(set);
    const change = diffAssigned(before, set);
    log.info({ version: set.version, nothing: isEmptyChange(change), ...countsOf(change) }, "Accepted an assigned set");
    for (const listener of [...listeners]) listener(change);
  };
  return {
    current: () => journal.state,
    apply(set) {
      const applied = last.then(() => {
        checkAssignedSet(set);
        return applyNext(set);
      });
      last = applied.catch(() => {});
      return applied;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await last;
      await journal.close();
    },
  };
}

/** A set kept by a gateway of before there were rules has none. */
function setCodec<T extends AssignedSet | null>(): Codec<T> {
  const plain = plainCodec<T>();
  return {
    encode: plain.encode,
    decode(bytes) {
      const set = plain.decode(bytes);
      return set === null ? set : { ...set, rules: (set as Partial<AssignedSet>).rules ?? [] };
    },
  };
}

function countsOf({ connections, devices, rules }: AssignedChange): Record<string, string> {
  const text = (list: { added: readonly unknown[]; changed: readonly unknown[]; removed: readonly unknown[] }) =>
    `+${list.added.length} ~${list.changed.length} -${list.removed.length}`;
  return { connections: text(connections), devices: text(devices), rules: text(rules) };
}
