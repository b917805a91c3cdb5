import type { OpenContext } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import { RefusedRanges } from "./refused-ranges.ts";
import { dial, TcpLine } from "./tcp-line.ts";

export interface LineSettings {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly maxInFlight: number;
}

/** A holder's share of a line. */
export interface LineLease {
  readonly line: TcpLine;
  readonly refused: RefusedRanges;
  /** the line ends when its last holder has released it */
  release(): void;
}

interface Holder {
  readonly settings: LineSettings;
  readonly lost: (error: AppError) => void;
}
interface SharedLine {
  readonly refused: RefusedRanges;
  readonly holders: Set<Holder>;
  readonly giveUp: AbortController;
  /** resolves once connected */
  readonly connected: Promise<TcpLine>;
}

/**
 * One line per host and port, however many Connections name it: a gateway with many devices behind it often takes one
 * TCP connection only, and its devices share one wire anyhow.
 */
export class SharedLines {
  readonly #lines = new Map<string, SharedLine>();

  /** @throws AppError mapper/connect-failed; aborted when the context's signal is */
  async acquire(settings: LineSettings, context: OpenContext): Promise<LineLease> {
    const key = `${settings.host.toLowerCase()}:${settings.port}`;
    const shared = this.#lines.get(key) ?? this.#start(key, settings, context);
    const holder: Holder = { settings, lost: context.lost };
    shared.holders.add(holder);
    const release = () => this.#release(key, shared, holder);
    try {
      const line = await orAborted(shared.connected, context.signal);
      line.maxInFlight = strictest(shared.holders);
      return { line, refused: shared.refused, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #start(key: string, settings: LineSettings, context: OpenContext): SharedLine {
    const { host, port, connectTimeoutMs } = settings;
    const { clock, log } = context;
    const giveUp = new AbortController();
    const holders = new Set<Holder>();
    const forget = () => {
      if (this.#lines.get(key) === shared) this.#lines.delete(key);
    };
    const connected = dial({ host, port, timeoutMs: connectTimeoutMs, clock, signal: giveUp.signal }).then(
      (socket) =>
        new TcpLine(socket, { host, port, clock, log }, (error) => {
          // First, so that a holder who opens again at once gets a new line.
          forget();
          for (const { lost } of [...holders]) lost(error);
        }),
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    // Whoever waits hears of it; when all have left, nobody needs to.
    connected.catch(() => {});
    const shared: SharedLine = { refused: new RefusedRanges(), holders, giveUp, connected };
    this.#lines.set(key, shared);
    return shared;
  }

  #release(key: string, shared: SharedLine, holder: Holder): void {
    if (!shared.holders.delete(holder)) return;
    if (shared.holders.size > 0) {
      shared.connected.then(
        (line) => {
          line.maxInFlight = strictest(shared.holders);
        },
        () => {},
      );
      return;
    }
    if (this.#lines.get(key) === shared) this.#lines.delete(key);
    shared.giveUp.abort();
    shared.connected.then(
      (line) => line.close(),
      () => {},
    );
  }
}

function strictest(holders: ReadonlySet<Holder>): number {
  return Math.max(1, Math.min(...[...holders].map((holder) => holder.settings.maxInFlight)));
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new AppError("aborted", "Connecting was called off"));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
