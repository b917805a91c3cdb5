import { AppError, type BrowsedNode, type ConnectionUid, limits } from "@penstock/model";
import type { Clock } from "@penstock/runtime";
import type { Browse, Browsed } from "@penstock/wire";

/** The gateway gives its mapper so long; see `browse` of its collect stage. The way there and back comes on top. */
const answerWithinMs = 60_000;

/** Questions to one gateway for which somebody waits. */
export class Browses {
  readonly #clock: Clock;
  readonly #ask: (question: Browse) => void;
  readonly #waiting = new Map<number, (outcome: readonly BrowsedNode[] | AppError) => void>();
  #last = 0;

  constructor(options: { readonly clock: Clock; readonly ask: (question: Browse) => void }) {
    this.#clock = options.clock;
    this.#ask = options.ask;
  }

  /** @throws AppError request/too-many, mapper/timeout, link/closed, or what the gateway answers */
  ask(connection: ConnectionUid, path: readonly string[]): Promise<readonly BrowsedNode[]> {
    if (this.#waiting.size >= limits.browsesPerNode) {
      const text = `Cannot browse: ${limits.browsesPerNode} questions to this gateway are under way`;
      return Promise.reject(new AppError("request/too-many", text));
    }
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(answerWithinMs, () => {
        settle(new AppError("mapper/timeout", `The gateway did not answer within ${answerWithinMs / 1000} s`));
      });
      const settle = (outcome: readonly BrowsedNode[] | AppError) => {
        cancel();
        this.#waiting.delete(id);
        if (outcome instanceof AppError) reject(outcome);
        else resolve(outcome);
      };
      this.#waiting.set(id, settle);
      this.#ask({ t: "browse", id, connection, path });
    });
  }

  /** An answer that nobody waits for came too late. */
  answered({ id, nodes, error }: Browsed): void {
    this.#waiting.get(id)?.(error === null ? nodes : new AppError(error.code, error.message));
  }

  end(): void {
    const gone = new AppError("link/closed", "Cannot browse: the gateway has gone away");
    for (const settle of [...this.#waiting.values()]) settle(gone);
  }
}
