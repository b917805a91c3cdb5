import Type, { type Static } from "typebox";
import { limits } from "../limits.ts";
import { durationSchema } from "./common.ts";

/**
 * How a line is used, the same words for every protocol, once for all devices on it. What a mapper's own settings say is
 * where the line leads (host, port, serial parameters).
 */
export const lineSchema = Type.Object(
  {
    timeout: Type.Optional(
      Type.String({ ...durationSchema, description: "how long one answer may take; 1s unless stated" }),
    ),
    connectTimeout: Type.Optional(Type.String({ ...durationSchema, description: "3s unless stated" })),
    retries: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: limits.lineRetriesMost,
        default: 0,
        description: "how often a request is made again that got no or a broken answer",
      }),
    ),
    backOff: Type.Optional(
      Type.Object(
        { first: Type.Optional(durationSchema), longest: Type.Optional(durationSchema) },
        {
          additionalProperties: false,
          description:
            "pause before a silent device or a broken line is tried again, doubled each time; 1s and 30s unless stated",
        },
      ),
    ),
    pause: Type.Optional(
      Type.String({
        ...durationSchema,
        description: "silence between an answer and the next request; 0 unless stated",
      }),
    ),
    collection: Type.Optional(
      Type.Enum(["sync", "async"], {
        default: "async",
        description: "sync: one device after the other; async: several devices at a time, as far as the protocol can",
      }),
    ),
    inFlight: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: limits.lineInFlightMost,
        default: 1,
        description:
          "requests sent before the first is answered; the smallest of all Connections to one address counts",
      }),
    ),
  },
  { additionalProperties: false },
);
export type LineSpec = Static<typeof lineSchema>;

/** The same, complete, in milliseconds: what collect and mappers go by. */
export interface LineSettings {
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly retries: number;
  readonly backOffFirstMs: number;
  readonly backOffLongestMs: number;
  readonly pauseMs: number;
  readonly collection: "sync" | "async";
  readonly inFlight: number;
}
export const defaultLine: LineSettings = {
  timeoutMs: 1000,
  connectTimeoutMs: 3000,
  retries: 0,
  backOffFirstMs: 1000,
  backOffLongestMs: 30_000,
  pauseMs: 0,
  collection: "async",
  inFlight: 1,
};

/** How much of a line's time is taken; null where nobody knows. 100 = never silent. */
export interface LineLoad {
  /** from the devices as they are described, before anything runs */
  readonly predictedPercent: number | null;
  /** questions that the mapper will ask, by the same prediction */
  readonly predictedRequestsPerSecond: number | null;
  /** why nothing is predicted; null when it is */
  readonly unpredicted: string | null;
  /** what takes the most of it by the prediction, the most first */
  readonly most: LineShare[];
  /** over the last minute, as the gateway measured it */
  readonly measuredPercent: number | null;
  /** rounds a second in which a device was asked, as the gateway counted them */
  readonly requestsPerSecond: number | null;
}
/** One cycle of one device, and what it takes of its line. */
export interface LineShare {
  readonly device: string;
  /** "every 1s" */
  readonly cadence: string;
  readonly properties: number;
  readonly percent: number;
  readonly requestsPerSecond: number;
}
