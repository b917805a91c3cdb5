import { type Clock, type Files, type Log, type Metrics, makeDurableFolder } from "@penstock/runtime";
import { readCheckpoint } from "./checkpoint.ts";
import { openInputJournal } from "./input-journal.ts";
import { brokenName } from "./input-keeper.ts";
import { KeptRules } from "./kept-rules.ts";
import type { RuleState } from "./rule-state.ts";

export interface RuleStateOptions {
  readonly files: Files;
  /** the stage's own; made when missing */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /**
   * milliseconds between two checkpoints at least; default 10,000, never less than 1000. All states are written anew each
   * time: a longer pause spares the gateway's flash, and costs a longer replay and nothing else
   */
  readonly checkpointEveryMs?: number;
  /**
   * of inputs that no checkpoint has yet; default 64 MiB. Beyond, a checkpoint passes outputs that wait for their sinks; where
   * the disk refuses that too, the oldest inputs go
   */
  readonly journalBytes?: number;
  /** of one file of inputs; default 1 MiB */
  readonly rollBytes?: number;
}

/**
 * Opens what the gateway's rules remember.
 *
 * @throws Error of the system when the folder cannot be read or emptied
 */
export async function openRuleState(options: RuleStateOptions): Promise<RuleState> {
  const { files, folder, log, rollBytes = 1024 * 1024 } = options;
  await makeDurableFolder(files, folder);
  let isWhole = !(await files.exists(`${folder}/${brokenName}`));
  const checkpoint = await readCheckpoint({ files, folder }).catch((error: unknown) => {
    isWhole = false;
    log.error({ error }, "Cannot read the checkpoint of the rules: they go on from the inputs that are left");
    return null;
  });
  const open = () => openInputJournal({ files, folder, rollBytes });
  const inputs = await open().catch(async (error: unknown) => {
    isWhole = false;
    log.error({ error }, "Cannot read the inputs of the rules: they go on from their checkpoint");
    for (const name of await files.list(folder)) if (name.endsWith(".inputs")) await files.remove(`${folder}/${name}`);
    return open();
  });
  return new KeptRules(options, { checkpoint, inputs, isWhole });
}
