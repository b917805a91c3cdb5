/** One line of structured log. Fields are plain data; secrets never go in. */
export type LogFields = Readonly<Record<string, unknown>>;
export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Log {
  /** true when trace lines are written; guard any work done only for them */
  readonly tracing: boolean;
  trace(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** a log whose every line carries these fields too; `stage` is a word of the flow */
  with(fields: LogFields): Log;
}

export const silentLog: Log = {
  tracing: false,
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};
