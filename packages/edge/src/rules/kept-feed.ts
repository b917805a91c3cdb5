import type { Log } from "@penstock/runtime";
import { directFeed, type RuleFeed } from "./rule-feed.ts";
import { openRuleState, type RuleStateOptions } from "./state/open-rule-state.ts";
import type { RuleState } from "./state/rule-state.ts";

/**
 * Feeds rules with state from what is kept over restarts, and the others at once: these cost nothing of it. Where the folder
 * cannot be read, every rule is fed at once, and what it remembers ends with the process.
 */
export async function keptFeed(options: RuleStateOptions): Promise<RuleFeed> {
  const { clock, log } = options;
  const direct = directFeed(options);
  const state = await openOrTell(options, log);
  const begin: RuleFeed["begin"] = (rule) => {
    // Nothing is given again, so that the numbers need only be others than those of the lives before.
    rule.numberFrom(clock.now());
    direct.begin(rule);
  };
  if (state === null) return { ...direct, begin };
  return {
    begin(rule) {
      if (rule.hasState) {
        direct.end(rule.id, { keepsNumber: true });
        state.begin(rule);
        return;
      }
      state.end(rule.id, { keepsNumber: true });
      begin(rule);
    },
    end(id, how) {
      state.end(id, how);
      direct.end(id, how);
    },
    replay: () => state.replay(),
    reads: (input) => state.reads(input) || direct.reads(input),
    take(input) {
      const taken = direct.take(input);
      const kept = state.take(input);
      if (taken === undefined || kept === undefined) return taken ?? kept;
      return Promise.all([taken, kept]).then(() => {});
    },
    told: (id) => toldOf(state, id),
    // Rules that the state does not feed deliver at once there too.
    emit: (deliver, output) => state.emit(deliver, output),
    async close() {
      await direct.close();
      await state.close();
    },
  };
}

function toldOf(state: RuleState, id: string): string | null {
  if (state.isExact(id) === null) return null;
  if (!state.status().isDurable)
    return "The disk refuses what it reads: what it remembers is lost if the gateway stops";
  return state.isExact(id)
    ? null
    : "What it remembers does not come of every reading: some were lost with the disk, or came while it had stopped";
}

async function openOrTell(options: RuleStateOptions, log: Log): Promise<RuleState | null> {
  try {
    return await openRuleState(options);
  } catch (error) {
    log.error({ error }, "Cannot open what rules remember: it ends with this process");
    return null;
  }
}
