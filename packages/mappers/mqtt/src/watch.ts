import { Payload, type PointResult } from "@penstock/mapper-sdk";
import { AppError, type ErrorCode, limits } from "@penstock/model";
import type { Message } from "./broker-link.ts";
import { type MqttPoint, willOf, wordOf } from "./device-words.ts";
import type { HeldMessage } from "./held-messages.ts";
import type { Cell, TopicNews, WillCell } from "./topic-news.ts";
import { TopicTree } from "./topic-tree.ts";

/** One property and where it is told. */
export interface Row {
  /** null: its settings name no place, and `reason` says why */
  readonly cell: Cell | null;
  readonly will: WillCell | null;
  readonly reason: ErrorCode | null;
}

export function bad(reason: ErrorCode): PointResult {
  return { value: null, reason };
}

export function rowOf(point: MqttPoint, news: TopicNews): Row {
  try {
    const will = willOf(point);
    return { cell: news.cell(wordOf(point)), will: will === null ? null : news.will(will), reason: null };
  } catch (error) {
    if (error instanceof AppError) return { cell: null, will: null, reason: error.code };
    throw error;
  }
}

/** One subscription: hands on what comes for its rows, as far as their device is not said to be gone. */
export class Watch {
  readonly rows: readonly Row[];
  readonly #each: (row: number, result: PointResult) => void;
  /** rows of which something was told, good or bad */
  readonly #told = new Set<number>();
  /** rows whose value the broker had kept while the device was gone */
  readonly #kept = new Set<number>();
  readonly #undo: (() => void)[] = [];
  /** what came before the broker had agreed to all */
  #early: (readonly [row: number, result: PointResult, message: Message])[] = [];
  #hasBegun = false;

  constructor(options: {
    readonly points: readonly MqttPoint[];
    readonly news: TopicNews;
    readonly each: (row: number, result: PointResult) => void;
  }) {
    const { points, news, each } = options;
    this.#each = each;
    this.rows = points.map((point) => rowOf(point, news));
    const wills = new Map<WillCell, number[]>();
    this.rows.forEach(({ cell, will }, i) => {
      if (cell === null) return;
      const want = (result: PointResult, message: Message) => this.#take(i, result, message);
      cell.wants.add(want);
      this.#undo.push(() => cell.wants.delete(want));
      if (will === null) return;
      const of = wills.get(will);
      if (of === undefined) wills.set(will, [i]);
      else of.push(i);
    });
    for (const [will, rows] of wills) {
      const want = (isGone: boolean) => this.#judge(rows, isGone);
      will.wants.add(want);
      this.#undo.push(() => will.wants.delete(want));
    }
  }

  /** what came before anybody had subscribed */
  replay(messages: readonly HeldMessage[]): void {
    if (messages.length === 0) return;
    const tree = new TopicTree<number>();
    this.rows.forEach(({ cell }, i) => {
      if (cell !== null) tree.add(cell.word.filter, i);
    });
    for (const message of messages) {
      const payload = new Payload(message.payload);
      for (const i of tree.match(message.topic)) {
        const cell = this.rows[i]!.cell!; // only those are in the tree
        const result = cell.word.read(payload);
        if (result === null) continue;
        cell.result ??= result;
        this.#take(i, { monotonic: message.at, ...result }, message);
      }
    }
  }

  /** the broker has agreed, but for some filters: tells what is known already */
  begin(refused: ReadonlySet<string>): void {
    this.#hasBegun = true;
    const early = this.#early;
    this.#early = [];
    const spoken = new Set(early.map(([i]) => i));
    this.rows.forEach(({ cell, will, reason }, i) => {
      if (cell === null) this.#tell(i, bad(reason ?? "mapper/bad-address"));
      else if (refused.has(cell.word.filter)) this.#tell(i, bad("mapper/bad-address"));
      else if (will?.isGone === true) {
        if (cell.result !== null) this.#kept.add(i);
        this.#tell(i, bad("mapper/device-offline"));
      } else if (cell.result !== null && !spoken.has(i)) this.#tell(i, cell.result);
    });
    for (const [i, result, message] of early) this.#take(i, result, message);
  }

  /** Time has passed: what nobody has spoken of is bad, and why. */
  tellSilent(): void {
    this.rows.forEach((_, i) => {
      if (!this.#told.has(i)) this.#tell(i, bad("mapper/nothing-told"));
    });
  }

  end(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  #take(i: number, result: PointResult, message: Message): void {
    if (!this.#hasBegun) {
      this.#early.push([i, result, message]);
      // Nobody can have agreed to more than will be taken anyway.
      if (this.#early.length > limits.newsWaiting) this.#early.shift();
      return;
    }
    const { will } = this.rows[i]!;
    if (will?.isGone === true) {
      if (message.isRetained) {
        this.#kept.add(i);
        return;
      }
      // Who speaks is there, whatever was said of it.
      will.isGone = false;
      for (const want of will.wants) want(false);
      this.#kept.delete(i);
    }
    this.#tell(i, result);
  }

  #judge(rows: readonly number[], isGone: boolean): void {
    if (!this.#hasBegun) return;
    for (const i of rows) {
      const result = this.rows[i]!.cell?.result ?? null;
      if (isGone) this.#tell(i, bad("mapper/device-offline"));
      else if (this.#kept.delete(i) && result !== null) this.#tell(i, result);
    }
  }

  #tell(i: number, result: PointResult): void {
    this.#told.add(i);
    this.#each(i, result);
  }
}
