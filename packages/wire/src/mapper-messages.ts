/**
 * What the agent and a mapper process say to each other over a pipe: MessagePack maps, each after its length as an
 * unsigned 32-bit big-endian number (mapper-frames.ts). Times are microseconds of the boot's monotonic clock, which both
 * processes share, so that only the agent decides about wall time.
 */
import type { ErrorCode, ExactJson, Json, LineSettings, Value, ValueType } from "@penstock/model";

export const mapperProtocol = { min: 1, max: 1 } as const;

/** messages of news of one group that the agent need not have taken before more come */
export const newsInFlight = 8;

export interface PointSpec {
  readonly property: string;
  readonly type: ValueType;
  readonly visitor: Readonly<Record<string, Json>>;
  /** left out when empty */
  readonly custom?: ExactObject;
}
export type JsonObject = Readonly<Record<string, Json>>;
export type ExactObject = Readonly<Record<string, ExactJson>>;
/** One device, as a mapper is told of it. */
export interface DeviceSpecOfMapper {
  readonly device: string;
  /** as people call it; older agents leave it out */
  readonly name?: string;
  readonly address: JsonObject;
  /** left out when empty */
  readonly custom?: ExactObject;
}
/** A file of the mapper's process that a followed value has passed. The agent writes the line: only it knows the value's id. */
export interface TraceStep {
  /** relative to packages/ */
  readonly file: string;
  readonly message: string;
}

/** agent → mapper */
export type AgentToMapper =
  | { readonly t: "open"; readonly connection: string; readonly settings: JsonObject; readonly line: LineSettings }
  | { readonly t: "close"; readonly connection: string }
  /** points stand in layout order; the answer's rows follow it */
  | ({
      readonly t: "group";
      readonly group: number;
      readonly connection: string;
      readonly points: readonly PointSpec[];
    } & DeviceSpecOfMapper)
  | { readonly t: "ungroup"; readonly group: number }
  /** the device shall tell changes of the group by itself, until "ungroup" or "unsubscribed" */
  | {
      readonly t: "subscribe";
      readonly id: number;
      readonly group: number;
      readonly deadlineMs: number;
      readonly trace?: boolean;
    }
  /** one "news" has been taken: room for another */
  | { readonly t: "taken"; readonly group: number }
  | {
      readonly t: "browse";
      readonly id: number;
      readonly connection: string;
      readonly path: readonly string[];
      readonly deadlineMs: number;
    }
  /** trace: the answer shall say through which files the values went; the same for write and read-point */
  | {
      readonly t: "read";
      readonly id: number;
      readonly group: number;
      readonly deadlineMs: number;
      readonly trace?: boolean;
    }
  /** one value a point */
  | ({
      readonly t: "write";
      readonly id: number;
      readonly connection: string;
      readonly points: readonly PointSpec[];
      readonly values: readonly Value[];
      readonly deadlineMs: number;
      readonly trace?: boolean;
    } & DeviceSpecOfMapper)
  | ({
      readonly t: "read-point";
      readonly id: number;
      readonly connection: string;
      readonly point: PointSpec;
      readonly deadlineMs: number;
      readonly trace?: boolean;
    } & DeviceSpecOfMapper)
  | ({
      readonly t: "call";
      readonly id: number;
      readonly connection: string;
      readonly method: string;
      readonly visitor: JsonObject;
      readonly arguments: Readonly<Record<string, Value>>;
      readonly result: ValueType | null;
      readonly deadlineMs: number;
      readonly trace?: boolean;
    } & DeviceSpecOfMapper)
  | { readonly t: "ping"; readonly n: number }
  | { readonly t: "stop" };

/** mapper → agent */
export type MapperToAgent =
  | {
      readonly t: "hello";
      readonly protocol: { readonly min: number; readonly max: number };
      readonly name: string;
      readonly version: string;
      readonly pid: number;
    }
  /** body = encodeBatchBody with monotonic times; layout = the group's points */
  | { readonly t: "values"; readonly id: number; readonly body: Uint8Array; readonly trace?: readonly TraceStep[] }
  | { readonly t: "subscribed"; readonly id: number; readonly trace?: readonly TraceStep[] }
  /**
   * body = encodeBatchBody; layout = the group's points, one row a property at most. Its times are monotonic, or the
   * device's own (wall). dropped: older changes that found no room since the last one. At most `newsInFlight` are not taken
   */
  | {
      readonly t: "news";
      readonly group: number;
      readonly body: Uint8Array;
      readonly isWall: boolean;
      readonly dropped: number;
    }
  /** what was subscribed to is over; it may be tried again */
  | {
      readonly t: "unsubscribed";
      readonly group: number;
      readonly code: ErrorCode;
      readonly message: string;
    }
  | {
      readonly t: "browsed";
      readonly id: number;
      readonly nodes: readonly JsonObject[];
    }
  /** one outcome a point, in their order; null = the device has taken it */
  | {
      readonly t: "written";
      readonly id: number;
      readonly outcomes: readonly ({ readonly code: ErrorCode; readonly message: string } | null)[];
      readonly trace?: readonly TraceStep[];
    }
  | { readonly t: "called"; readonly id: number; readonly value: Value; readonly trace?: readonly TraceStep[] }
  | {
      readonly t: "point";
      readonly id: number;
      readonly value: Value;
      readonly reason: ErrorCode | null;
      readonly trace?: readonly TraceStep[];
    }
  | { readonly t: "failed"; readonly id: number; readonly code: ErrorCode; readonly message: string }
  | {
      readonly t: "connection";
      readonly connection: string;
      readonly state: "connected" | "lost";
      readonly code: ErrorCode | null;
      readonly message: string | null;
    }
  | {
      readonly t: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: JsonObject;
    }
  | { readonly t: "pong"; readonly n: number };
