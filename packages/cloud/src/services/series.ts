import type { aggregates } from "@penstock/api";
import {
  type DeviceUid,
  type ErrorCode,
  formatMicros,
  invalid,
  type Json,
  type Micros,
  type Quality,
  type ValueType,
  valueToJson,
} from "@penstock/model";
import type { Caller, ServiceContext } from "./context.ts";
import type { PropertyRef } from "./desired.ts";
import { findDevice, propertyOf } from "./device-lookup.ts";
import { momentOf } from "./moment-of.ts";

type Aggregate = (typeof aggregates)[number];
export interface SeriesRequest {
  /** RFC 3339, "now" or "-1h"; one hour ago unless stated */
  readonly from?: string | undefined;
  /** now unless stated */
  readonly to?: string | undefined;
  readonly points?: number | undefined;
  readonly aggregate?: Aggregate | undefined;
}
export interface SeriesView {
  device: string;
  property: string;
  type: ValueType | null;
  unit: string | null;
  from: string;
  to: string;
  aggregate: Aggregate;
  points: { time: string; value: Json; quality: Quality; reason: ErrorCode | null }[];
  truncated: boolean;
}

/** Stored readings by name. */
export function createSeries(context: ServiceContext) {
  const { db, series, clock } = context;
  const moment = (text: string, field: string) => momentOf(text, { now: clock.now(), field });
  return {
    async query(caller: Caller, ref: PropertyRef, request: SeriesRequest): Promise<SeriesView> {
      const device = await findDevice(db, caller, ref);
      const property = propertyOf(device, ref.property);
      const from = moment(request.from ?? "-1h", "from");
      // Half-open: one microsecond more, so that what has the time of this very moment is part of "now".
      const to = request.to === undefined ? ((clock.now() + 1) as Micros) : moment(request.to, "to");
      if (from >= to) {
        throw invalid([{ field: "from", value: formatMicros(from), rule: `must be before to, ${formatMicros(to)}` }]);
      }
      const aggregate = request.aggregate ?? "raw";
      const result = await series.query({
        tenant: device.tenant,
        device: device.row.uid as DeviceUid,
        property: ref.property,
        type: property.type,
        from,
        to,
        points: request.points ?? 1000,
        aggregate,
      });
      const type = result.type;
      return {
        device: ref.device,
        property: ref.property,
        type,
        unit: property.unit ?? null,
        from: formatMicros(from),
        to: formatMicros(to),
        aggregate,
        points: result.points.map((point) => ({
          time: formatMicros(point.time),
          value: type === null ? null : valueToJson(type, point.value),
          quality: point.quality,
          reason: point.reason,
        })),
        truncated: result.truncated,
      };
    },
  };
}
export type Series = ReturnType<typeof createSeries>;
