import type { CallReport, DeviceUid, Micros } from "@penstock/model";
import { type Codec, type Files, type Journal, openJournal, plainCodec } from "@penstock/runtime";

/** What the gateway remembers of a call, from before it may have reached the device. */
export interface CallRecord {
  readonly id: string;
  readonly device: DeviceUid;
  readonly method: string;
  readonly takenAt: Micros;
  /** how it ended; null while it is under way */
  readonly report: CallReport | null;
  /** the cloud has its end: only the id matters from then on */
  readonly isTold: boolean;
}
export type CallMap = ReadonlyMap<string, CallRecord>;
export interface CallEntry {
  readonly calls: readonly CallRecord[];
  readonly forgotten: readonly string[];
}

const records = plainCodec<readonly CallRecord[]>();
const callMap: Codec<CallMap> = {
  encode: (map) => records.encode([...map.values()]),
  decode: (bytes) => new Map(records.decode(bytes).map((call) => [call.id, call])),
};

/** Calls on disk, in the order in which they came. */
export function openCallsJournal(options: {
  readonly files: Files;
  readonly folder: string;
}): Promise<Journal<CallMap, CallEntry>> {
  return openJournal({
    ...options,
    initial: new Map(),
    stateCodec: callMap,
    apply(before, { calls, forgotten }) {
      const after = new Map(before);
      for (const call of calls) after.set(call.id, call);
      for (const id of forgotten) after.delete(id);
      return after;
    },
  });
}
