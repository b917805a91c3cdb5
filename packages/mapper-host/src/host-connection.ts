import { checkSettings, type DriverLog, type Mapper, type MapperConnection, withDefaults } from "@penstock/mapper-sdk";
import { AppError, codeOf, invalid, type LineSettings } from "@penstock/model";
import type { Clock, Random } from "@penstock/runtime";
import type { JsonObject } from "@penstock/wire";
import { backOffMs } from "./back-off.ts";
import { orAborted } from "./deadline.ts";

export interface HostConnectionOptions {
  readonly name: string;
  readonly settings: JsonObject;
  readonly line: LineSettings;
  readonly mapper: Mapper;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: DriverLog;
  /** the mapper's own */
  readonly folder: string;
  /** a connection that had been made is no more */
  readonly ended: (error: AppError) => void;
  /** told of changes only; null is good news */
  readonly changed: (error: AppError | null) => void;
}

type State =
  | { readonly is: "idle" }
  | { readonly is: "opening"; readonly opened: Promise<MapperConnection> }
  | { readonly is: "open"; readonly connection: MapperConnection }
  /** nothing is tried before `until` (monotonic microseconds); whoever asks gets the error at once */
  | { readonly is: "waiting"; readonly until: number; readonly error: AppError }
  | { readonly is: "closed" };

/** One Connection of the agent: opened when it is first needed, kept, opened again when it was lost. */
export class HostConnection {
  readonly settings: JsonObject;
  readonly line: LineSettings;
  readonly #options: HostConnectionOptions;
  readonly #closing = new AbortController();
  readonly #ending = new Set<Promise<void>>();
  #state: State = { is: "idle" };
  #failures = 0;
  #told: string | null = null;

  constructor(options: HostConnectionOptions) {
    this.#options = options;
    this.settings = options.settings;
    this.line = options.line;
    const fields = checkSettings(options.mapper, { connection: options.settings }, { connection: "settings" });
    if (fields.length > 0) {
      const error = invalid(fields);
      this.#state = { is: "waiting", until: Number.POSITIVE_INFINITY, error };
      this.#tell(error);
    }
  }

  /** @throws AppError why there is no connection */
  use(signal: AbortSignal): Promise<MapperConnection> {
    const state = this.#state;
    switch (state.is) {
      case "open":
        return Promise.resolve(state.connection);
      case "opening":
        return orAborted(state.opened, signal);
      case "closed":
        return Promise.reject(new AppError("aborted", `Connection "${this.#options.name}" is closed`));
      case "waiting":
        if (this.#options.clock.monotonic() < state.until) return Promise.reject(state.error);
        return orAborted(this.#open(), signal);
      case "idle":
        return orAborted(this.#open(), signal);
    }
  }

  /** something was read or written, so the next failure is the first again */
  worked(): void {
    this.#failures = 0;
  }

  /** `connection` is not to be used any more; nothing happens when another has taken its place */
  lose(connection: MapperConnection, error: AppError): void {
    if (this.#state.is !== "open" || this.#state.connection !== connection) return;
    this.#end(connection);
    this.#fail(error);
    this.#options.ended(error);
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { is: "closed" };
    this.#closing.abort();
    if (state.is === "open") this.#end(state.connection);
    if (state.is === "opening") await state.opened.catch(() => {});
    await Promise.all(this.#ending);
  }

  #open(): Promise<MapperConnection> {
    const { mapper, settings, line, clock, log, folder } = this.#options;
    let made: MapperConnection | null = null;
    const open = async () => {
      const connection = await mapper.open(withDefaults(mapper.connection, settings), {
        signal: this.#closing.signal,
        log,
        clock,
        line,
        folder,
        lost: (error) => made !== null && this.lose(made, error),
      });
      made = connection;
      if (this.#state.is === "closed") {
        this.#end(connection);
        throw new AppError("aborted", `Connection "${this.#options.name}" was closed`);
      }
      this.#state = { is: "open", connection };
      this.#tell(null);
      return connection;
    };
    const opened = open().catch((cause: unknown) => {
      const error = asAppError(cause, `Cannot open connection "${this.#options.name}"`);
      if (this.#state.is !== "closed") this.#fail(error);
      throw error;
    });
    this.#state = { is: "opening", opened };
    // Whoever waits hears of it; they may all have given up by then.
    opened.catch(() => {});
    return opened;
  }

  #fail(error: AppError): void {
    this.#failures++;
    const waitMs = backOffMs(this.line, this.#failures, this.#options.random.number());
    this.#state = { is: "waiting", until: this.#options.clock.monotonic() + waitMs * 1000, error };
    this.#tell(error);
  }

  #end(connection: MapperConnection): void {
    const ended = connection
      .close()
      .catch((error: unknown) => this.#options.log.warn({ error: String(error) }, "A connection did not close cleanly"))
      .finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  #tell(error: AppError | null): void {
    const news = error === null ? "connected" : error.code;
    if (this.#told === news) return;
    this.#told = news;
    this.#options.changed(error);
  }
}

/** What a driver threw, with a code: its own, or `internal` with the whole cause. */
export function asAppError(cause: unknown, what: string): AppError {
  if (cause instanceof AppError) return cause;
  return new AppError(codeOf(cause), `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
