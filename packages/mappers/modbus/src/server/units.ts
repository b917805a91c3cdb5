/** Which unit ids this end answers for. */
export interface Units {
  /** a device of the Connection has this unit id */
  name(unit: number): void;
  answers(unit: number): boolean;
  /** whom a broadcast is for */
  all(): Iterable<number>;
}

/**
 * @param given unit ids that the Connection's settings name; with them, no others answer
 * @param isBus true: on a bus that other units share only those of our own devices answer; false: all, as most servers
 *   on TCP do, which are reached by their address alone (Messaging on TCP/IP V1.0b, 4.4.2.4.2)
 */
export function unitsOf(given: readonly number[], isBus: boolean): Units {
  const named = new Set(given);
  return {
    name: (unit) => {
      if (given.length === 0) named.add(unit);
    },
    answers: (unit) => named.has(unit) || (given.length === 0 && !isBus),
    all: () => named,
  };
}
