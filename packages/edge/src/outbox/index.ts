export { openOutbox } from "./outbox.ts";
export type { OutboxOptions, SegmentOutbox } from "./outbox-options.ts";
