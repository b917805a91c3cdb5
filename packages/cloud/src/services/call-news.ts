import {
  type CallState,
  type CallStep,
  type ErrorCode,
  formatMicros,
  isCallEnd,
  isErrorCode,
  type Json,
  type Micros,
  type ValueType,
} from "@penstock/model";
import type { Selectable } from "kysely";
import type { DeviceCallsTable } from "../state-schema.ts";

export type CallRow = Selectable<DeviceCallsTable>;
export interface CallView {
  id: string;
  device: string;
  method: string;
  arguments: Record<string, Json>;
  state: CallState;
  reason: ErrorCode | null;
  message: string | null;
  resultType: ValueType | null;
  result: Json;
  /** of a method that sets properties */
  steps: CallStep[];
  calledBy: string;
  calledAt: string;
  sentAt: string | null;
  endedAt: string | null;
  expiresAt: string;
}

export const openCallStates: CallState[] = ["pending", "sent"];

/**
 * Whether news of a call changes what is known. An end stays, but where the cloud's own clock ended it while the gateway was
 * not heard, the gateway's word on what became of it is the truth.
 */
export function isCallNews(known: CallState, said: CallState): boolean {
  if (!isCallEnd(known)) return known !== said;
  return (known === "expired" || known === "unknown") && isCallEnd(said) && said !== known;
}

export function callView(row: CallRow, device: string): CallView {
  const given = JSON.parse(row.arguments) as { name: string; value: Json }[];
  return {
    id: row.id,
    device,
    method: row.method,
    arguments: Object.fromEntries(given.map(({ name, value }) => [name, value])),
    state: row.state as CallState,
    reason: isErrorCode(row.reason) ? row.reason : null,
    message: row.message,
    resultType: row.result_type as ValueType | null,
    result: row.result === null ? null : (JSON.parse(row.result) as Json),
    steps: JSON.parse(row.steps) as CallStep[],
    calledBy: row.requested_by,
    calledAt: formatMicros(row.requested_at as Micros),
    sentAt: timeOrNull(row.sent_at),
    endedAt: timeOrNull(row.ended_at),
    expiresAt: formatMicros(row.expires_at as Micros),
  };
}

function timeOrNull(time: number | null): string | null {
  return time === null ? null : formatMicros(time as Micros);
}
