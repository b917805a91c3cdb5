import type { LineCost } from "@penstock/model";
import { itemsMost, mostOfRead, readRoom, roomOf } from "./s7-pdu.ts";

/** PDU of an S7-300 and S7-1200, the smallest that is common: what is foretold holds for the others all the more. */
export const smallPdu = 240;

/** TPKT and COTP data header, and the header of a job and of its answer. */
const frame = 7 + 10 + 2 + 7 + 12 + 2;

/** What reads cost a line whose PDU has so many bytes: one job carries many. */
export function readCost(pduSize: number): LineCost {
  const { question, answer } = roomOf(pduSize);
  const each = readRoom(0);
  return {
    lines: [
      {
        // 100 Mbit/s; beside a PLC's cycle it hardly matters
        ...{ character: 0.08, charactersEachByte: 1, frame, silence: { characters: 0, atLeast: 0 } },
        // A PLC answers at the end of its cycle.
        ...{ roundTrip: 10_000, overlaps: true },
      },
    ],
    reads: [{ maxLength: mostOfRead(pduSize), bytes: 0, bytesEachPlace: 1 }],
    together: {
      reads: Math.min(itemsMost, Math.floor(question / each.question)),
      bytes: answer,
      bytesEach: each.answer,
      bytesAsked: each.question,
    },
  };
}
