import { AppError, codeOf, type ErrorCode, type MapperStatus } from "@penstock/model";
import {
  type Cancel,
  type ChildProcesses,
  type Clock,
  type Counter,
  type Log,
  logLevels,
  type Metrics,
} from "@penstock/runtime";
import type { AgentToMapper, MapperToAgent } from "@penstock/wire";
import { LineRate } from "./line-rate.ts";
import { type MapperNews, MapperProcess } from "./mapper-process.ts";
import { sayable } from "./sayable.ts";
import {
  notStarted,
  type SupervisorEffect,
  type SupervisorInput,
  type SupervisorState,
  supervise,
  supervisorWakesAt,
} from "./supervisor.ts";

/** The program that runs one mapper; the path of its `mapper.json` and that of its own folder are added to the arguments. */
export interface HostCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export interface MapperOptions {
  readonly name: string;
  readonly host: HostCommand;
  /** the mapper's own; it makes it */
  readonly folder: string;
  readonly processes: ChildProcesses;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** path of the mapper's manifest; rejects with mapper/not-found */
  find(): Promise<string>;
  /** the process is there and has nothing open yet */
  onUp(): void;
  onDown(code: ErrorCode, message: string): void;
  /** what devices tell by themselves, and the end of it */
  onNews(news: Extract<MapperToAgent, { readonly t: "news" | "unsubscribed" }>, of: Mapper): void;
  onConnection(news: Extract<MapperToAgent, { readonly t: "connection" }>): void;
}

type State = MapperStatus["state"];

/** One mapper's process kept running: does what `supervise` decides. */
export class Mapper {
  readonly name: string;
  /** the process while it is up; null otherwise */
  running: MapperProcess | null = null;
  readonly #options: MapperOptions;
  readonly #log: Log;
  readonly #lines: LineRate;
  readonly #linesDropped: Counter;
  readonly #deaths: Counter;
  #state: SupervisorState = notStarted;
  #process: MapperProcess | null = null;
  #manifest = "";
  #timer: Cancel = () => {};
  #whenStopped: (() => void)[] = [];
  readonly #whenRunning = new Set<(outcome: MapperProcess | AppError) => void>();

  constructor(options: MapperOptions) {
    const { name, clock, log, metrics } = options;
    this.name = name;
    this.#options = options;
    this.#log = log.with({ mapper: name });
    this.#lines = new LineRate(clock);
    const labels = { mapper: name };
    this.#linesDropped = metrics.counter(
      "penstock_collect_mapper_lines_dropped_total",
      "Log lines of a mapper left out because it wrote too many",
      labels,
    );
    this.#deaths = metrics.counter("penstock_collect_mapper_deaths_total", "Ends of a mapper nobody asked for", labels);
  }

  want(isWanted: boolean): void {
    this.#take({ t: "want", isWanted });
  }

  /** Its files are others now: the process that runs by the old ones ends, and one by the present ones begins. */
  renew(): void {
    if (!this.#state.isWanted) return;
    this.want(false);
    this.want(true);
  }

  send(message: AgentToMapper): void {
    this.running?.send(message);
  }

  /**
   * The process, waited for while one is being started; at once why there is none, where none is on its way.
   *
   * @throws AppError mapper/stopped, mapper/not-found, mapper/wrong-version
   */
  whenRunning(withinMs: number): Promise<MapperProcess> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(withinMs, () => settle(this.#refusal()));
      const settle = (outcome: MapperProcess | AppError) => {
        cancel();
        this.#whenRunning.delete(settle);
        if (outcome instanceof AppError) reject(outcome);
        else resolve(outcome);
      };
      this.#whenRunning.add(settle);
      this.#tellRunning();
    });
  }

  /** why there is no process to ask */
  trouble(): { readonly code: ErrorCode; readonly message: string } {
    const { reason, message } = this.#state;
    return { code: reason ?? "mapper/stopped", message: message ?? `Mapper "${this.name}" is being started` };
  }

  status(): MapperStatus {
    const { phase, pid, starts, reason, message } = this.#state;
    return {
      mapper: this.name,
      state: stateOf(phase, starts),
      pid,
      restarts: Math.max(0, starts - 1),
      reason,
      message,
    };
  }

  /** resolves when no process is left */
  close(): Promise<void> {
    this.want(false);
    if (this.#state.phase === "stopped") return Promise.resolve();
    return new Promise((resolve) => this.#whenStopped.push(resolve));
  }

  #take(input: SupervisorInput): void {
    const now = this.#options.clock.monotonic() / 1000;
    const [state, effects] = supervise(this.#state, input, now);
    this.#state = state;
    for (const effect of effects) this.#do(effect);
    this.#timer();
    const wakesAt = supervisorWakesAt(this.#state);
    this.#timer =
      wakesAt === null ? () => {} : this.#options.clock.after(wakesAt - now, () => this.#take({ t: "tick" }));
    if (this.#state.phase === "stopped") for (const resolve of this.#whenStopped.splice(0)) resolve();
    this.#tellRunning();
  }

  #tellRunning(): void {
    if (this.running === null && isOnItsWay(this.#state)) return;
    for (const settle of [...this.#whenRunning]) settle(this.running ?? this.#refusal());
  }

  #refusal(): AppError {
    const { code, message } = this.trouble();
    return new AppError(code, message);
  }

  #do(effect: SupervisorEffect): void {
    switch (effect.t) {
      case "find":
        this.#find();
        break;
      case "spawn":
        this.#spawn(this.#manifest);
        break;
      case "up":
        this.running = this.#process;
        this.#log.info({ pid: this.#process?.pid }, "Mapper is running");
        this.#options.onUp();
        break;
      case "down":
        this.#deaths.add();
        this.#log.warn({ reason: effect.code, failures: this.#state.failures }, `Mapper is down: ${effect.message}`);
        this.running = null;
        // First the state of its lines, then the end of its requests, so that no new one is begun between.
        this.#options.onDown(effect.code, effect.message);
        this.#process?.fail(effect.code, effect.message);
        break;
      case "ping":
        this.#process?.send({ t: "ping", n: effect.n });
        break;
      case "stop":
        this.running = null;
        this.#process?.send({ t: "stop" });
        break;
      case "kill":
        this.#process?.kill();
        break;
    }
  }

  #find(): void {
    this.#options.find().then(
      (manifest) => {
        this.#manifest = manifest;
        this.#take({ t: "found", missing: null });
      },
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        this.#take({ t: "found", missing: { code: codeOf(error), message } });
      },
    );
  }

  #spawn(manifest: string): void {
    const { host, folder, processes, clock } = this.#options;
    const process = new MapperProcess({
      child: processes.spawn({ command: host.command, args: [...host.args, manifest, folder] }),
      clock,
      events: {
        news: (message) => this.#news(message),
        broken: (message) => this.#take({ t: "broken", message }),
        exited: (message) => {
          this.#process = null;
          this.running = null;
          this.#take({ t: "exited", message });
        },
        line: (line, from) => this.#forward("info", line, { from }),
      },
    });
    // A program that could not be started has already told its exit.
    if (this.#state.phase !== "starting") return;
    this.#process = process;
    this.#take({ t: "started", pid: process.pid });
  }

  #news(message: MapperNews): void {
    switch (message.t) {
      case "hello":
        if (isRange(message.protocol)) this.#take(message);
        else this.#process?.breakOff("Its hello names no protocol versions");
        break;
      case "pong":
        this.#take(message);
        break;
      case "connection":
        this.#options.onConnection(message);
        break;
      case "news":
      case "unsubscribed":
        this.#options.onNews(message, this);
        break;
      case "log":
        this.#forward(message.level, message.message, message.fields);
        break;
      default:
        // A later mapper may say more; unknown messages are not ours to judge.
        message satisfies never;
    }
  }

  #forward(level: "debug" | "info" | "warn" | "error", line: unknown, fields: unknown): void {
    if (!this.#lines.take()) {
      this.#linesDropped.add();
      return;
    }
    if (logLevels.includes(level)) this.#log[level]({ said: fields }, sayable(line, 8192));
  }
}

/** A program that only claims to be a mapper may say anything. */
function isRange(protocol: { readonly min: unknown; readonly max: unknown } | null | undefined): boolean {
  return Number.isSafeInteger(protocol?.min) && Number.isSafeInteger(protocol?.max);
}

/** A process will say hello, or it will be known why not, soon. */
function isOnItsWay({ phase, isWanted }: SupervisorState): boolean {
  return isWanted && (phase === "finding" || phase === "starting" || phase === "stopping");
}

function stateOf(phase: SupervisorState["phase"], starts: number): State {
  switch (phase) {
    case "running":
    case "missing":
    case "stopped":
      return phase;
    case "stopping":
      return "stopped";
    case "finding":
    case "starting":
      return starts > 1 ? "restarting" : "starting";
    default:
      return "restarting";
  }
}
