import {
  type DesiredState,
  type DeviceUid,
  type ErrorCode,
  formatMicros,
  isErrorCode,
  type Json,
  type Micros,
  type TenantUid,
  type ValueType,
} from "@penstock/model";
import type { Log } from "@penstock/runtime";
import type { Selectable } from "kysely";
import type { DesiredTable } from "../state-schema.ts";
import type { Names } from "./names.ts";

export type DesiredRow = Selectable<DesiredTable>;
export interface DesiredView {
  device: string;
  property: string;
  type: ValueType;
  value: Json;
  version: number;
  state: DesiredState;
  reason: ErrorCode | null;
  message: string | null;
  readBack: Json;
  setBy: string;
  setAt: string;
  sentAt: string | null;
  writtenAt: string | null;
  endedAt: string | null;
  updatedAt: string;
  expiresAt: string;
}
export interface DesiredChange {
  readonly tenant: TenantUid;
  readonly device: DeviceUid;
  readonly view: DesiredView;
}

/** The states from which time may still run out. */
export const unfinished: DesiredState[] = ["pending", "sent", "written"];

export function viewOf(row: DesiredRow, device: string): DesiredView {
  return {
    device,
    property: row.property,
    type: row.type as ValueType,
    value: JSON.parse(row.value) as Json,
    version: row.version,
    state: row.state as DesiredState,
    reason: isErrorCode(row.reason) ? row.reason : null,
    message: row.message,
    readBack: row.reported_value === null ? null : (JSON.parse(row.reported_value) as Json),
    setBy: row.requested_by,
    setAt: formatMicros(row.requested_at as Micros),
    sentAt: timeOrNull(row.taken_at),
    writtenAt: timeOrNull(row.written_at),
    endedAt: timeOrNull(row.ended_at),
    updatedAt: formatMicros(row.updated_at as Micros),
    expiresAt: formatMicros(row.expires_at as Micros),
  };
}

function timeOrNull(time: number | null): string | null {
  return time === null ? null : formatMicros(time as Micros);
}

/** Who wants to know when a desired value changes: the waiting and the live streams. */
export function createDesiredNews(names: Names, log: Log) {
  const listeners = new Set<(change: DesiredChange) => void>();
  return {
    listen(listener: (change: DesiredChange) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Never rejects: what it tells of is stored already, and whoever stored it must go on. */
    async tell(rows: readonly DesiredRow[]): Promise<void> {
      try {
        await tellAll(rows);
      } catch (error) {
        log.warn({ error: String(error) }, "News of desired values did not reach those who wait");
      }
    },
  };
  async function tellAll(rows: readonly DesiredRow[]): Promise<void> {
    for (const row of rows) {
      const view = viewOf(row, (await names.of(row.device_uid)) ?? row.device_uid);
      const change = { tenant: row.tenant_uid as TenantUid, device: row.device_uid as DeviceUid, view };
      for (const listener of listeners) listener(change);
    }
  }
}
export type DesiredNews = ReturnType<typeof createDesiredNews>;
