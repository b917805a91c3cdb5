import { type LineCost, type ReadTerms, readTerms } from "@penstock/model";
import { maxQuantity, type Table } from "./pdu.ts";

/** microseconds that a device, or a network and a device, are taken to need until one has been measured */
const assumedRoundTripUs = 5000;
const serial = {
  baud: "connection.baud",
  dataBits: "connection.dataBits",
  parity: "connection.parity",
  stopBits: "connection.stopBits",
};
/** 100 Mbit/s; beside a round trip it hardly matters */
const networkCharacter = 0.08;
const noSilence = { characters: 0, atLeast: 0 };
const rtu = {
  charactersEachByte: 1,
  // unit (1) and checksum (2), both ways: Modbus over Serial Line V1.02, 2.5.1
  frame: 6,
  roundTrip: assumedRoundTripUs,
} as const;
// colon, unit, checksum, line end in hexadecimal text, both ways: Modbus over Serial Line V1.02, 2.5.2
const ascii = { charactersEachByte: 2, frame: 14, roundTrip: assumedRoundTripUs, silence: noSilence } as const;

/** What a read costs each kind of line, as data for `mapper.json`. */
export const readCost: LineCost = {
  // What others have written lies in the mapper.
  unless: { field: "connection.role", in: ["server"] },
  lines: [
    {
      when: { field: "connection.transport", in: ["rtu"] },
      // 2.5.1: eight bits of data
      character: { ...serial, dataBitsOtherwise: 8 },
      ...rtu,
      // 2.5.1.1: 3.5 characters, and 1.75 ms above 19200 baud
      silence: { characters: 3.5, atLeast: 1750 },
      overlaps: false,
    },
    {
      when: { field: "connection.transport", in: ["ascii"] },
      // 2.5.2: seven bits of data
      character: { ...serial, dataBitsOtherwise: 7 },
      ...ascii,
      overlaps: false,
    },
    {
      when: { field: "connection.transport", in: ["rtu-over-tcp"] },
      ...{ character: networkCharacter, ...rtu, silence: noSilence, overlaps: false },
    },
    {
      // MBAP header, both ways: Modbus Messaging on TCP/IP V1.0b, 3.1.3
      ...{ character: networkCharacter, charactersEachByte: 1, frame: 14, silence: noSilence },
      ...{ roundTrip: assumedRoundTripUs, overlaps: true },
    },
  ],
  // 6.1 to 6.4: five bytes ask, two go before the data of the answer
  reads: [
    {
      when: { field: "visitor.table", in: ["coil", "discrete"] },
      ...{ maxLength: maxQuantity("coil"), bytes: 7, bytesEachPlace: 1 / 8 },
    },
    { maxLength: maxQuantity("holding"), bytes: 7, bytesEachPlace: 2 },
  ],
  maxGap: "connection.maxGap",
};

/** Least that a round trip is worth: both ends work for a request, however near they are. */
const leastRoundTripUs = 200;
/** Answers of which the quickest counts: the others have waited for the line's other users. */
const window = 32;
/** Weight of what the newest window says. */
const smoothing = 0.25;

/**
 * What reads cost on one line, refined by what its round trips take. A new version is made only when a gap of another
 * length would be worth reading through, so that plans are not made anew with every answer.
 */
export class MeasuredCost {
  version = 0;
  readonly #settings: Readonly<Record<string, unknown>>;
  readonly #line: { readonly pauseMs: number; readonly inFlight: number };
  readonly #terms = new Map<Table, ReadTerms>();
  /** of a line whose devices answer at once */
  readonly #bare = new Map<Table, ReadTerms>();
  #quickest = Number.POSITIVE_INFINITY;
  #count = 0;
  #roundTripUs: number | null = null;
  #breakEven: number;

  /** @param settings of the connection, defaults filled in */
  constructor(
    settings: Readonly<Record<string, unknown>>,
    line: { readonly pauseMs: number; readonly inFlight: number },
  ) {
    this.#settings = settings;
    this.#line = line;
    this.#breakEven = breakEvenOf(this.terms("holding"));
  }

  terms(table: Table): ReadTerms {
    let known = this.#terms.get(table);
    if (known === undefined) {
      known = this.#termsWith(table, this.#roundTripUs);
      this.#terms.set(table, known);
    }
    return known;
  }

  /** @param elapsedUs from question to answer, waiting in the line's queue included */
  answered(table: Table, length: number, elapsedUs: number): void {
    let bare = this.#bare.get(table);
    if (bare === undefined) {
      bare = this.#termsWith(table, 0);
      this.#bare.set(table, bare);
    }
    const { cost } = bare;
    this.#quickest = Math.min(this.#quickest, elapsedUs - cost.fixed - length * cost.perUnit);
    if (++this.#count < window) return;
    const seen = Math.max(leastRoundTripUs, this.#quickest);
    this.#quickest = Number.POSITIVE_INFINITY;
    this.#count = 0;
    this.#roundTripUs = this.#roundTripUs === null ? seen : this.#roundTripUs + (seen - this.#roundTripUs) * smoothing;
    const breakEven = breakEvenOf(this.#termsWith("holding", this.#roundTripUs));
    if (Math.abs(breakEven - this.#breakEven) < 0.75) return;
    this.#breakEven = breakEven;
    this.#terms.clear();
    this.version++;
  }

  #termsWith(table: Table, roundTripUs: number | null): ReadTerms {
    const settings = this.#settings;
    const fieldOf = (field: string) =>
      field === "visitor.table" ? table : settings[field.slice(field.indexOf(".") + 1)];
    const measured = roundTripUs === null ? {} : { roundTripUs };
    // The last of the lines and of the reads above have no condition.
    return readTerms(readCost, { fieldOf, line: this.#line, ...measured })!;
  }
}

/** The widest gap worth reading through, in half octaves of registers; all that a request can hold count as one. */
function breakEvenOf({ cost, maxLength }: ReadTerms): number {
  return 2 * Math.log2(Math.min(maxLength, Math.max(1, cost.fixed / cost.perUnit)));
}
