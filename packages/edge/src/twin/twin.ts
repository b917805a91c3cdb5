import type { BusConsumer, DeviceUid, EdgeControl, LocalTwin } from "@penstock/model";
import { openCalls } from "./calls.ts";
import { type Desired, type DesiredOptions, openDesired } from "./desired.ts";
import { openReported } from "./reported.ts";
import { keepReported, type ReportedKeeper, type ReportedKeeperOptions } from "./reported-keeper.ts";

/** Without `accepted`, reported values begin with nothing and end with the process. */
export type TwinOptions = DesiredOptions & Partial<Pick<ReportedKeeperOptions, "accepted" | "checkpointEveryMs">>;

/** What link needs of twin. */
type TwinControl = Omit<EdgeControl, "assignedVersion" | "applyAssigned">;

/** Reported and desired values of the gateway's devices, and calls of their methods. */
export interface Twin extends TwinControl, Omit<LocalTwin, "desired"> {
  /** feeds reported values from the bus */
  readonly consumer: BusConsumer;
  desired(device: DeviceUid): ReturnType<Desired["of"]>;
  /** to be called after each change of the assigned set: what no longer exists ends as failed */
  devicesChanged(): void;
  /** resolves when nothing is in flight; desired values that have not ended go on at the next start */
  close(): Promise<void>;
}

/**
 * The twin stage (DESIGN 4): a desired change is on disk before it is announced, the highest version wins, and it ends
 * confirmed, failed, superseded or expired, with a reason. A method is called at most once, and in doubt ends unknown.
 * Reported values live in memory, are checkpointed with the outbox position, and are rebuilt from it; their times stay
 * those of the readings, so old ones show their age. Opening goes on with what `folder` holds.
 *
 * @throws AppError data/… when the journal cannot be read or written
 */
export async function openTwin(options: TwinOptions): Promise<Twin> {
  const desired = await openDesired(options);
  const calls = await openCalls({
    ...options,
    folder: `${options.folder}/calls`,
    holderOf: (device, property) => desired.of(device).find((one) => one.property === property)?.hold?.holder ?? null,
  });
  let keeper: ReportedKeeper | null = null;
  const reported = openReported({ log: options.log, onTaken: () => keeper?.changed() });
  if (options.accepted !== undefined) {
    keeper = await keepReported({ ...options, accepted: options.accepted, reported });
  }
  return {
    takeDesired: (values) => desired.take(values),
    pendingReports: () => desired.pendingReports(),
    onReport: (listener) => desired.onReport(listener),
    reportsTaken: (taken) => desired.reportsTaken(taken),
    takeCalls: (taken) => calls.take(taken),
    pendingCallReports: () => calls.pendingReports(),
    onCallReport: (listener) => calls.onReport(listener),
    callReportsTaken: (ids) => calls.reportsTaken(ids),
    holds: () => desired.holds(),
    onHolds: (listener) => desired.onHolds(listener),
    setLocally: (write) => desired.setLocally(write),
    release: (device, property) => desired.release(device, property),
    callHere: (call) => calls.callHere(call),
    consumer: reported.consumer,
    reported: (device) => reported.of(device),
    desired: (device) => desired.of(device),
    devicesChanged() {
      reported.keep(options.lookup);
      desired.devicesChanged();
    },
    async close() {
      await calls.close();
      await desired.close();
      await keeper?.close();
    },
  };
}
