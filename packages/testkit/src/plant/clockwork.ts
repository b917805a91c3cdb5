import type { Clock } from "@penstock/runtime";
import { type Line, startLine, stepLine } from "./line.ts";

const stepMicros = 50_000;

/**
 * Keeps the line's physics level with a clock, in fixed steps taken when somebody looks: no timer, and the state after
 * n steps does not depend on who looked in between.
 */
export class PlantClockwork {
  #line: Line;
  #reached: number;
  readonly #clock: Pick<Clock, "monotonic">;

  constructor(options: { readonly clock: Pick<Clock, "monotonic">; readonly seed: number }) {
    this.#clock = options.clock;
    this.#line = startLine(options.seed);
    this.#reached = options.clock.monotonic();
  }

  line(): Line {
    const now = this.#clock.monotonic();
    while (this.#reached + stepMicros <= now) {
      this.#line = stepLine(this.#line, stepMicros / 1e6).line;
      this.#reached += stepMicros;
    }
    return this.#line;
  }

  change(edit: (line: Line) => Line): void {
    this.#line = edit(this.line());
  }
}
