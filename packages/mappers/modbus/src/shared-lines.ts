import type { OpenContext } from "@penstock/mapper-sdk";
import { AppError, type LineSettings } from "@penstock/model";
import type { Line, LineConduct } from "./line.ts";
import { assertSame, type LinePlace, nameOf, openLine } from "./open-line.ts";
import { OwedAnswers } from "./owed-answers.ts";
import { RefusedRanges } from "./refused-ranges.ts";

/** A holder's share of a line. */
export interface LineLease {
  readonly line: Line;
  readonly refused: RefusedRanges;
  /** the line ends when its last holder has released it */
  release(): void;
}

interface Holder {
  readonly conduct: LineSettings;
  readonly lost: (error: AppError) => void;
}
interface SharedLine {
  readonly place: LinePlace;
  readonly refused: RefusedRanges;
  readonly holders: Set<Holder>;
  readonly giveUp: AbortController;
  /** resolves once connected */
  readonly connected: Promise<Line>;
}

/**
 * One line per host and port, and one per serial path, however many Connections name it: a gateway with many devices behind
 * it often takes one TCP connection only, and its devices share one wire anyhow. How it is used is what the most careful
 * of them asks for.
 */
export class SharedLines {
  readonly #lines = new Map<string, SharedLine>();
  /** a serial port is given back after its line has ended, and cannot be opened before */
  readonly #closing = new Map<string, Promise<void>>();
  /** Outlives the lines to a place, since late answers do; kept only where something is owed. */
  readonly #owed = new Map<string, OwedAnswers>();

  /** @throws AppError mapper/connect-failed; aborted when the context's signal is */
  async acquire(place: LinePlace, context: OpenContext): Promise<LineLease> {
    const key = nameOf(place);
    const known = this.#lines.get(key);
    if (known !== undefined) assertSame(known.place, place);
    const shared = known ?? this.#start(place, context);
    const holder: Holder = { conduct: context.line, lost: context.lost };
    shared.holders.add(holder);
    const release = () => this.#release(key, shared, holder);
    try {
      const line = await orAborted(shared.connected, context.signal);
      line.conduct = strictest(shared.holders);
      return { line, refused: shared.refused, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #start(place: LinePlace, { clock, log, line }: OpenContext): SharedLine {
    const key = nameOf(place);
    const giveUp = new AbortController();
    const holders = new Set<Holder>();
    const forget = () => {
      if (this.#lines.get(key) === shared) this.#lines.delete(key);
    };
    const owed = this.#owed.get(key) ?? new OwedAnswers();
    const onEnd = (error: AppError, closed: Promise<void>) => {
      this.#leave(key, { closed, owed });
      // First, so that a holder who opens again at once gets a new line.
      forget();
      for (const { lost } of [...holders]) lost(error);
    };
    const connected = Promise.resolve(this.#closing.get(key))
      .then(() => openLine(place, { clock, log, line, owed, signal: giveUp.signal, onEnd }))
      .catch((error: unknown) => {
        forget();
        throw error;
      });
    // Whoever waits hears of it; when all have left, nobody needs to.
    connected.catch(() => {});
    const shared: SharedLine = { place, refused: new RefusedRanges(), holders, giveUp, connected };
    this.#lines.set(key, shared);
    return shared;
  }

  #leave(key: string, { closed, owed }: { closed: Promise<void>; owed: OwedAnswers }): void {
    if (owed.isEmpty) this.#owed.delete(key);
    else this.#owed.set(key, owed);
    this.#closing.set(key, closed);
    closed.finally(() => {
      if (this.#closing.get(key) === closed) this.#closing.delete(key);
    });
  }

  #release(key: string, shared: SharedLine, holder: Holder): void {
    if (!shared.holders.delete(holder)) return;
    if (shared.holders.size > 0) {
      shared.connected.then(
        (line) => {
          line.conduct = strictest(shared.holders);
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

function strictest(holders: ReadonlySet<Holder>): LineConduct {
  const all = [...holders].map(({ conduct }) => conduct);
  return {
    inFlight: Math.max(1, Math.min(...all.map(({ inFlight }) => inFlight))),
    pauseMs: Math.max(...all.map(({ pauseMs }) => pauseMs)),
    retries: Math.min(...all.map(({ retries }) => retries)),
  };
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new AppError("aborted", "Connecting was called off"));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
