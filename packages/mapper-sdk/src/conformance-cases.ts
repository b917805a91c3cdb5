/** What every mapper stands, whatever it speaks to, in the order in which the suite plays it. */
export const conformanceCases = [
  "connect",
  "time-out",
  "wrong answer",
  "half answer",
  "garbage",
  "reconnect",
  "write refused",
  "close in flight",
  "killed and restarted",
] as const;
export type ConformanceCase = (typeof conformanceCases)[number];

/** The tests of the suite, each of one case, and what a device with a connection does in it. */
export const conformanceParts = {
  settings: { of: "connect", says: "the kit's own settings pass its check, and checking opens nothing" },
  connect: { of: "connect", says: "connects, reads and writes" },
  "nobody listens": { of: "connect", says: "open fails while nobody listens, and works when somebody does" },
  "late answer": {
    of: "time-out",
    says: "a device that says nothing costs a time-out, and its late answer is nobody's",
  },
  "called off": { of: "time-out", says: "an aborted read ends at once though the device says nothing" },
  "wrong answer": { of: "wrong answer", says: "an answer to another question is no value, and does no harm later" },
  "half answer": { of: "half answer", says: "half an answer is no value, and does no harm later" },
  garbage: { of: "garbage", says: "garbage is no value, and does no harm later" },
  reconnect: { of: "reconnect", says: "a connection that the device ends is told, and can be opened again" },
  "write refused": { of: "write refused", says: "a write that the device refuses fails with the device's reason" },
  "unfit value": { of: "write refused", says: "a value that does not fit is refused before anything is sent" },
  "close in flight": {
    of: "close in flight",
    says: "close ends what is in flight, tells nobody of a loss, and leaves no connection",
  },
  "killed and restarted": {
    of: "killed and restarted",
    says: "its process is killed in flight, and started again it works as before",
  },
} as const satisfies Record<string, { readonly of: ConformanceCase; readonly says: string }>;
export type ConformancePart = keyof typeof conformanceParts;

/** Parts of the suite that cannot be played, each with the reason why not. */
export type NotApplicable = Readonly<Partial<Record<ConformancePart, string>>>;

/** What a protocol over a line may not have: connections, and devices that take or refuse values. */
const mayLack: ReadonlySet<ConformancePart> = new Set(["nobody listens", "reconnect", "write refused"]);

/** By what a test's name begins that belongs to this case; `penstock mapper check` knows it by this. */
export function caseTitle(mapper: string, of: ConformanceCase): string {
  return `${mapper}: ${of}: `;
}

/** Stands before the reason where a part is skipped for not being applicable. */
export const notApplicableMark = "not applicable: ";

/**
 * @param permissions of the mapper: one that may touch nothing outside its process has no line
 * @returns why a part cannot be declared not applicable; null when it can
 */
export function mustBePlayed(part: ConformancePart, permissions: readonly string[]): string | null {
  if (permissions.length === 0 || mayLack.has(part)) return null;
  return `"${part}" cannot be declared not applicable: a mapper that may use ${permissions.join(", ")} has a line`;
}
