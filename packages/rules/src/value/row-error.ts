/**
 * Why one row, or one window's result, could not be computed. It ends that row and nothing else: the rule counts it, tells
 * it, and goes on with the next.
 */
export class RowError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RowError";
  }
}
