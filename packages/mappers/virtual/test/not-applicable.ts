import type { NotApplicable } from "@penstock/mapper-sdk";

const noLine = "its devices are computed in its own process: no answer travels, so none can";

/** What of the conformance suite cannot be played with devices that exist nowhere else. */
export const notApplicable: NotApplicable = {
  "nobody listens": "its devices are computed in its own process: nobody has to listen",
  "late answer": `${noLine} be late; an answer takes as long as delayMs says, and who gives up is let go at once`,
  "wrong answer": `${noLine} be another question's`,
  "half answer": `${noLine} end too early`,
  garbage: `${noLine} be spoilt`,
  reconnect: "its devices are computed in its own process: there is no connection that could end",
};
