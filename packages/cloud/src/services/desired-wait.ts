import { AppError, type DesiredState, type TenantUid } from "@penstock/model";
import type { ServiceContext } from "./context.ts";
import { type DesiredChange, type DesiredNews, type DesiredRow, type DesiredView, viewOf } from "./desired-news.ts";
import { isSettled } from "./desired-state.ts";

/** Waits for what becomes of a desired value. */
export function createDesiredWait(context: Pick<ServiceContext, "db" | "clock">, news: DesiredNews) {
  const { db, clock } = context;

  async function current(tenant: TenantUid, device: string, property: string): Promise<DesiredRow | undefined> {
    return db
      .selectFrom("desired")
      .selectAll()
      .where("tenant_uid", "=", tenant)
      .where("device_uid", "=", device)
      .where("property", "=", property)
      .executeTakeFirst();
  }

  /** Resolves with what is known when version is settled or replaced, or when the wait is over. */
  async function outcome(options: {
    readonly tenant: TenantUid;
    readonly device: string;
    readonly name: string;
    readonly property: string;
    readonly version: number;
    readonly isWriteOnly: boolean;
    readonly waitMs: number;
    readonly signal: AbortSignal | undefined;
  }): Promise<DesiredView> {
    const { tenant, device, property, version, isWriteOnly, waitMs, signal } = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const listener = (change: DesiredChange) => {
      if (change.device !== device || change.view.property !== property) return;
      if (change.view.version !== version || isSettled(change.view.state, isWriteOnly)) resolve();
    };
    const stop = news.listen(listener);
    const cancel = waitMs > 0 ? clock.after(waitMs, resolve) : undefined;
    signal?.addEventListener("abort", () => resolve(), { once: true });
    try {
      // Listening began before this read, so an outcome between the two is not missed.
      const row = await current(tenant, device, property);
      const isOpen = row !== undefined && row.version === version && !isSettled(row.state as DesiredState, isWriteOnly);
      if (isOpen && waitMs > 0 && signal?.aborted !== true) await promise;
    } finally {
      stop();
      cancel?.();
    }
    const row = (await current(tenant, device, property))!;
    if (row.version === version) return viewOf(row, options.name);
    throw new AppError("twin/superseded", `Version ${version} was superseded by version ${row.version}`);
  }

  return { current, outcome };
}
