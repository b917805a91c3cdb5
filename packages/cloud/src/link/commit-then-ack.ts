import type { IngestEntry, IngestSession, Ranges } from "@penstock/model";

/** Acknowledge last: the gateway forgets what it hears acknowledged, so the store must have committed it by then. */
export async function commitThenAck(options: {
  readonly session: IngestSession;
  readonly entries: readonly IngestEntry[];
  ack(ranges: Ranges): void;
}): Promise<void> {
  const committed = await options.session.submit(options.entries);
  options.ack(committed);
}
