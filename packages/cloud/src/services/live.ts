import {
  AppError,
  type CommittedBatch,
  type DeviceSpec,
  type DeviceUid,
  type ErrorCode,
  formatMicros,
  type Json,
  limits,
  type Micros,
  mergeDevice,
  type Quality,
  type Reading,
  type TenantUid,
  traceId,
  type ValueType,
  valueToJson,
} from "@penstock/model";
import type { AlarmView } from "./alarms.ts";
import type { Caller, ServiceContext } from "./context.ts";
import type { DesiredView } from "./desired-news.ts";
import { createLastValues } from "./last-values.ts";
import { createLiveQueue, type LiveQueue } from "./live-queue.ts";
import { modelOf } from "./model-versions.ts";
import type { Names } from "./names.ts";
import { findRow, type Row, specOf } from "./resource-rows.ts";
import { notFound, tenantOf } from "./tenant-check.ts";

export interface ReadingView {
  device: string;
  property: string;
  type: ValueType;
  time: string;
  value: Json;
  quality: Quality;
  reason: ErrorCode | null;
}
export type LiveEvent =
  | { event: "readings"; data: { device: string; readings: ReadingView[] }; trace?: readonly string[] }
  | { event: "twin"; data: DesiredView }
  | { event: "alarm"; data: AlarmView }
  | { event: "dropped"; data: { events: number } };

export interface LiveFilter {
  readonly devices: readonly string[];
  readonly properties: readonly string[];
}
interface Subscriber {
  readonly user: string;
  readonly tenant: TenantUid;
  /** null = all */
  readonly devices: ReadonlySet<DeviceUid> | null;
  readonly properties: ReadonlySet<string> | null;
  readonly queue: LiveQueue<LiveEvent>;
}

/** Events one stream may have waiting, and readings in them, some 200 bytes each; drop oldest. */
const queueBound = 1000;
const queuedReadingsBound = 20_000;
/** Devices whose last values open a stream that names none. */
const firstDevices = 1000;

export function readingView(reading: Reading, device: string): ReadingView {
  return {
    device,
    property: reading.property,
    type: reading.type,
    time: formatMicros(reading.time),
    value: valueToJson(reading.type, reading.value),
    quality: reading.quality,
    reason: reading.reason,
  };
}

/** Last values, and streams of what is new. Costs one map entry per device while nobody watches. */
export function createLive(context: ServiceContext, names: Names) {
  const { db, series, log } = context;
  const values = createLastValues(series);
  const subscribers = new Set<Subscriber>();
  const drops = context.metrics.counter(
    "penstock_services_live_dropped_total",
    "Live events left out for slow readers",
  );

  function send(
    tenant: TenantUid,
    device: DeviceUid | null,
    event: (subscriber: Subscriber) => LiveEvent | null,
  ): void {
    for (const subscriber of subscribers) {
      if (subscriber.tenant !== tenant) continue;
      if (device !== null && subscriber.devices !== null && !subscriber.devices.has(device)) continue;
      const one = event(subscriber);
      if (one !== null) subscriber.queue.push(one);
    }
  }
  function readingsEvent(
    name: string,
    readings: readonly Reading[],
    properties: ReadonlySet<string> | null,
  ): LiveEvent | null {
    const chosen = properties === null ? readings : readings.filter((reading) => properties.has(reading.property));
    if (chosen.length === 0) return null;
    return { event: "readings", data: { device: name, readings: chosen.map((reading) => readingView(reading, name)) } };
  }

  async function publish(committed: CommittedBatch): Promise<void> {
    const { tenant, layout } = committed;
    const properties = layout.properties.map((property) => property.name);
    // Without the store's word an old reading of the backlog could pass for the newest.
    if (!values.isVerified(layout.device, properties)) await values.get(tenant, layout.device, properties);
    const name = await names.of(layout.device);
    const news = values.advance(committed);
    if (name === null || news.length === 0) return;
    const trace = log.tracing ? { trace: [traceId(committed.batch)] } : {};
    send(tenant, layout.device, (subscriber) => {
      const event = readingsEvent(name, news, subscriber.properties);
      return event === null ? null : { ...event, ...trace };
    });
  }

  async function devicesFor(tenant: TenantUid, wanted: readonly string[]): Promise<Row[]> {
    if (wanted.length === 0) {
      return db
        .selectFrom("resources")
        .selectAll()
        .where("tenant_uid", "=", tenant)
        .where("kind", "=", "Device")
        .where("deleted_at", "is", null)
        .orderBy("name")
        .limit(firstDevices)
        .execute();
    }
    const rows: Row[] = [];
    for (const name of new Set(wanted)) {
      const row = await findRow(db, tenant, "Device", name);
      if (row === undefined) throw notFound("Device", name);
      rows.push(row);
    }
    return rows;
  }
  async function propertiesOf(tenant: TenantUid, row: Row): Promise<string[]> {
    const spec = specOf<DeviceSpec>(row);
    const model = await modelOf(db, { tenant, device: row.uid, spec });
    return [...mergeDevice(model?.spec ?? null, spec).properties.keys()];
  }

  return {
    values,
    lastTime: (device: DeviceUid): Micros | null => values.lastTime(device),
    forget: (device: DeviceUid) => values.forget(device),

    /** Told by ingest after each commit; never throws, never makes it wait. */
    onCommitted(committed: CommittedBatch): void {
      if (log.tracing) {
        const id = traceId(committed.batch);
        log.trace({ file: "cloud/src/services/live.ts", id }, "readings offered to live streams");
      }
      const isWatched = [...subscribers].some(
        ({ tenant, devices }) =>
          tenant === committed.tenant && (devices === null || devices.has(committed.layout.device)),
      );
      if (!isWatched) {
        values.take(committed);
        return;
      }
      publish(committed).catch((error: unknown) => {
        values.take(committed);
        log.warn({ error: String(error) }, "Readings could not be shown live");
      });
    },
    onDesired(change: { readonly tenant: TenantUid; readonly device: DeviceUid; readonly view: DesiredView }): void {
      send(change.tenant, change.device, ({ properties }) =>
        properties === null || properties.has(change.view.property) ? { event: "twin", data: change.view } : null,
      );
    },
    onAlarm(tenant: TenantUid, alarm: AlarmView): void {
      send(tenant, null, () => ({ event: "alarm", data: alarm }));
    },

    /**
     * Last values first, then what arrives, until the signal is aborted.
     *
     * @throws AppError resource/not-found; request/too-many beyond 32 streams of one user
     */
    async subscribe(
      caller: Caller,
      tenantName: string,
      filter: LiveFilter,
      signal: AbortSignal,
    ): Promise<AsyncIterable<LiveEvent>> {
      const tenant = await tenantOf(db, caller, tenantName);
      const rows = await devicesFor(tenant, filter.devices);
      if ([...subscribers].filter(({ user }) => user === caller.uid).length >= limits.liveSubscribersPerUser) {
        throw new AppError(
          "request/too-many",
          `${caller.name} has ${limits.liveSubscribersPerUser} live streams already`,
        );
      }
      const properties = filter.properties.length === 0 ? null : new Set(filter.properties);
      const queue = createLiveQueue<LiveEvent>({
        bound: queueBound,
        weightBound: queuedReadingsBound,
        weightOf: (event) => (event.event === "readings" ? event.data.readings.length : 1),
        onDrop: () => drops.add(),
      });
      const subscriber: Subscriber = {
        user: caller.uid,
        tenant,
        devices: filter.devices.length === 0 ? null : new Set(rows.map((row) => row.uid as DeviceUid)),
        properties,
        queue,
      };
      subscribers.add(subscriber);
      const stop = () => {
        subscribers.delete(subscriber);
        queue.close();
      };
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
      async function* events(): AsyncGenerator<LiveEvent> {
        try {
          for (const row of rows) {
            const wanted = (await propertiesOf(tenant, row)).filter((name) => properties?.has(name) ?? true);
            const last = await values.get(tenant, row.uid as DeviceUid, wanted);
            const event = readingsEvent(row.name, [...last.values()], properties);
            if (event !== null && !signal.aborted) yield event;
          }
          let told = 0;
          for await (const event of queue) {
            if (queue.dropped > told) {
              told = queue.dropped;
              yield { event: "dropped", data: { events: told } };
            }
            yield event;
          }
        } finally {
          stop();
        }
      }
      return events();
    },
    /** open streams */
    get streams() {
      return subscribers.size;
    },
    close(): void {
      for (const subscriber of subscribers) subscriber.queue.close();
      subscribers.clear();
    },
  };
}
export type Live = ReturnType<typeof createLive>;
