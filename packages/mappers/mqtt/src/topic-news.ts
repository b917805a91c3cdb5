import { Payload, type PointResult } from "@penstock/mapper-sdk";
import type { Message } from "./broker-link.ts";
import type { Will, Word } from "./device-words.ts";
import { TopicTree } from "./topic-tree.ts";

/** One place of what is subscribed to: the last that was told of it, and who wants to know. */
export interface Cell {
  readonly word: Word;
  /** null: nothing yet */
  result: PointResult | null;
  /** messages that spoke of it so far; retained ones do not count */
  told: number;
  readonly wants: Set<(result: PointResult, message: Message) => void>;
}
/** Where a device is said to be gone. */
export interface WillCell {
  readonly will: Will;
  isGone: boolean;
  readonly wants: Set<(isGone: boolean) => void>;
}
interface Claim {
  readonly filter: string;
  readonly cells: Map<string, Cell>;
  readonly wills: Map<string, WillCell>;
  last: { readonly message: Message; readonly payload: Payload } | null;
}

/**
 * What comes from a broker, sorted: each message is read once, whatever number of properties lies in it, and goes to all
 * whose filter matches. Knows nothing of sockets.
 */
export class TopicNews {
  readonly #tree = new TopicTree<Claim>();
  readonly #claims = new Map<string, Claim>();
  readonly #payloadOf: (bytes: Uint8Array) => Payload;

  /** @param payloadOf for tests that count */
  constructor(payloadOf: (bytes: Uint8Array) => Payload = (bytes) => new Payload(bytes)) {
    this.#payloadOf = payloadOf;
  }

  cell(word: Word): Cell {
    const claim = this.#claim(word.filter);
    let cell = claim.cells.get(word.key);
    if (cell === undefined) {
      cell = { word, result: null, told: 0, wants: new Set() };
      claim.cells.set(word.key, cell);
      if (claim.last !== null) cell.result = word.read(claim.last.payload);
    }
    return cell;
  }

  will(will: Will): WillCell {
    const claim = this.#claim(will.topic);
    let cell = claim.wills.get(will.key);
    if (cell === undefined) {
      cell = { will, isGone: claim.last !== null && will.isGone(claim.last.payload), wants: new Set() };
      claim.wills.set(will.key, cell);
    }
    return cell;
  }

  /** @returns whether nobody holds the filter any more */
  drop(filter: string, key: string): boolean {
    const claim = this.#claims.get(filter);
    if (claim === undefined) return false;
    claim.cells.delete(key);
    claim.wills.delete(key);
    if (claim.cells.size + claim.wills.size > 0) return false;
    this.#claims.delete(filter);
    this.#tree.remove(filter, claim);
    return true;
  }

  /** @returns whether anybody had asked for it */
  take(message: Message, only?: string): boolean {
    const claims = this.#tree.match(message.topic).filter(({ filter }) => only === undefined || filter === only);
    if (claims.length === 0) return false;
    const payload = this.#payloadOf(message.payload);
    for (const claim of claims) {
      if (message.isAgain && isSame(claim.last?.message, message)) continue;
      claim.last = { message, payload };
      for (const cell of claim.wills.values()) {
        const isGone = cell.will.isGone(payload);
        if (isGone === cell.isGone) continue;
        cell.isGone = isGone;
        for (const want of cell.wants) want(isGone);
      }
      for (const cell of claim.cells.values()) {
        const result = cell.word.read(payload);
        if (result === null) continue;
        cell.result = result;
        if (!message.isRetained) cell.told++;
        for (const want of cell.wants) want(result, message);
      }
    }
    return true;
  }

  #claim(filter: string): Claim {
    let claim = this.#claims.get(filter);
    if (claim === undefined) {
      claim = { filter, cells: new Map(), wills: new Map(), last: null };
      this.#claims.set(filter, claim);
      this.#tree.add(filter, claim);
    }
    return claim;
  }
}

function isSame(last: Message | undefined, message: Message): boolean {
  return last !== undefined && last.topic === message.topic && Buffer.compare(last.payload, message.payload) === 0;
}
