import type { BusConsumer, DeviceUid, EdgeControl, Reading } from "@penstock/model";
import { type DesiredOptions, type DesiredView, openDesired } from "./desired.ts";
import { openReported } from "./reported.ts";

/** Reported and desired values of the gateway's devices. */
export interface Twin extends Pick<EdgeControl, "takeDesired" | "pendingReports" | "onReport" | "reportsTaken"> {
  /** feeds reported values from the bus */
  readonly consumer: BusConsumer;
  reported(device: DeviceUid): ReadonlyMap<string, Reading>;
  desired(device: DeviceUid): readonly DesiredView[];
  /** to be called after each change of the assigned set: what no longer exists ends as failed */
  devicesChanged(): void;
  /** resolves when nothing is in flight; desired values that have not ended go on at the next start */
  close(): Promise<void>;
}

/**
 * The twin stage (DESIGN 4): a desired change is on disk before it is announced, the highest version wins, and it ends
 * confirmed, failed, superseded or expired, with a reason. Opening goes on with what the journal in `folder` holds.
 *
 * @throws AppError data/… when the journal cannot be read or written
 */
export async function openTwin(options: DesiredOptions): Promise<Twin> {
  const desired = await openDesired(options);
  const reported = openReported(options.log);
  return {
    takeDesired: (values) => desired.take(values),
    pendingReports: () => desired.pendingReports(),
    onReport: (listener) => desired.onReport(listener),
    reportsTaken: (taken) => desired.reportsTaken(taken),
    consumer: reported.consumer,
    reported: (device) => reported.of(device),
    desired: (device) => desired.of(device),
    devicesChanged() {
      reported.keep((device) => options.lookup(device) !== null);
      desired.devicesChanged();
    },
    close: () => desired.close(),
  };
}
