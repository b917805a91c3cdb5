import { AppError, codeOf } from "@penstock/model";
import type { Log, LogFields } from "@penstock/runtime";

/** A log that keeps what a verdict needs: drops of the outbox, and errors that no code of the table explains. */
export interface RunLog {
  readonly log: Log;
  readonly lines: string[];
  readonly drops: { readonly from: number; readonly to: number; readonly readings: number }[];
  /** those that the outbox began by the cloud's order */
  readonly epochs: string[];
  readonly internal: string[];
  /** reported values that the disk would not give back at a start */
  readonly unreadable: { count: number };
}

export function runLog(options: {
  readonly who: string;
  readonly keepsLines: boolean;
  readonly now: () => number;
}): RunLog {
  const made: Omit<RunLog, "log"> = { lines: [], drops: [], internal: [], epochs: [], unreadable: { count: 0 } };
  const write = (level: string, fields: LogFields, message: string) => {
    const error = fields.err ?? fields.error;
    if (message.startsWith("Dropped the oldest readings")) {
      // The fields that the outbox writes with this line.
      made.drops.push(fields as unknown as RunLog["drops"][number]);
    }
    if (message === "The outbox has a new epoch") made.epochs.push(String(fields.epoch));
    if (/^Cannot (read the checkpoint of reported values|replay accepted readings)/.test(message)) {
      made.unreadable.count++;
      // No crash damages a checkpoint or an outbox: only a disk that says so is an excuse.
      if (!isOfDisk(error)) made.internal.push(`${options.who}: ${message}: ${String(error)}`);
    }
    if (level === "error" && error instanceof Error && !isExpected(error)) {
      made.internal.push(`${options.who}: ${message}: ${error.stack ?? error.message}`);
    }
    if (options.keepsLines) {
      const text = error instanceof Error ? `${codeOf(error)} ${error.message}` : "";
      const rest = JSON.stringify(fields, (_key, value: unknown) =>
        typeof value === "bigint" ? String(value) : value,
      );
      made.lines.push(`${(options.now() / 1e6).toFixed(6)} ${options.who} ${level} ${message} ${text} ${rest}`);
    }
  };
  const at =
    (level: string, own: LogFields) =>
    (fields: LogFields, message: string): void =>
      write(level, options.keepsLines ? { ...own, ...fields } : fields, message);
  const withFields = (own: LogFields): Log => ({
    tracing: false,
    trace() {},
    debug: at("debug", own),
    info: at("info", own),
    warn: at("warn", own),
    error: at("error", own),
    with: (fields) => withFields({ ...own, ...fields }),
  });
  return { ...made, log: withFields({}) };
}

/** A code of the table, or what the simulated disk says. */
function isExpected(error: Error): boolean {
  return error instanceof AppError ? error.code !== "internal" : isOfDisk(error);
}

function isOfDisk(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? "") || isOfDisk(error.cause);
}
