/** Takes the place of packages/edge/src/outbox/group-commit.ts: accepts what is written and not yet synced. */
import type { CommitGroup } from "../../packages/edge/src/outbox/group-commit.ts";

export async function commitGroup(group: CommitGroup): Promise<void> {
  await group.write();
  group.accept();
  await group.sync();
}
