export interface CommitGroup {
  /** hands every record of the group to the system */
  write(): Promise<void>;
  /** resolves when they are on the disk */
  sync(): Promise<void>;
  /** resolves the appends and shows the entries to readers */
  accept(): void;
}

/** When an append may resolve: after the sync that covers it, never before. */
export async function commitGroup(group: CommitGroup): Promise<void> {
  await group.write();
  await group.sync();
  group.accept();
}
