import { AppError, type DeviceUid, type Epoch, type Reading } from "@penstock/model";
import { type Files, plainCodec, scanRecords, writeRecords } from "@penstock/runtime";
import type { Held } from "./reported.ts";

/** Up to where in the outbox a checkpoint's values reach. */
export interface OutboxPosition {
  readonly epoch: Epoch;
  /** last seq that is in it; 0 when none */
  readonly seq: number;
}
type DeviceValues = readonly [DeviceUid, Iterable<Held>];

interface Head extends OutboxPosition {
  /** how many device records follow */
  readonly devices: number;
}
type Row = readonly [
  property: string,
  type: Reading["type"],
  time: Reading["time"],
  value: Reading["value"],
  quality: Reading["quality"],
  reason: Reading["reason"],
  uncertainClock: boolean,
];
interface DeviceRecord {
  readonly device: DeviceUid;
  readonly rows: readonly Row[];
}

const heads = plainCodec<Head>();
const deviceRecords = plainCodec<DeviceRecord>();
const name = "reported";

function recordOf([device, values]: DeviceValues): Uint8Array {
  const rows = [...values].map(({ reading, uncertainClock }): Row => {
    const { property, type, time, value, quality, reason } = reading;
    return [property, type, time, value, quality, reason, uncertainClock];
  });
  return deviceRecords.encode({ device, rows });
}

/**
 * Puts the checkpoint in the place of the last one: a head record, then one for each device. After a crash at any point the
 * path holds the one or the other. Values may move on while it is written: a record has those of its own moment, never
 * older than the position.
 */
export async function writeCheckpoint(options: {
  readonly files: Files;
  readonly folder: string;
  readonly position: OutboxPosition;
  readonly devices: readonly DeviceValues[];
}): Promise<void> {
  const { files, folder, position, devices } = options;
  await writeRecords({ files, folder, name, records: recordsOf(position, devices) });
}

function* recordsOf(position: OutboxPosition, devices: readonly DeviceValues[]): Generator<Uint8Array> {
  yield heads.encode({ ...position, devices: devices.length });
  for (const device of devices) yield recordOf(device);
}

/** @returns null when there is none @throws AppError data/corrupt when it is damaged */
export async function readCheckpoint(options: {
  readonly files: Files;
  readonly folder: string;
}): Promise<{ position: OutboxPosition; devices: (readonly [DeviceUid, readonly Held[]])[] } | null> {
  const { files, folder } = options;
  const path = `${folder}/${name}`;
  if (!(await files.exists(path))) return null;
  const file = await files.openRead(path);
  let head: Head | null = null;
  const devices: (readonly [DeviceUid, readonly Held[]])[] = [];
  try {
    const { damage } = await scanRecords({
      file,
      to: await file.size(),
      each: (payload) => {
        if (head === null) head = heads.decode(payload);
        else devices.push(valuesOf(deviceRecords.decode(payload)));
        return true;
      },
    });
    if (damage !== null) throw new AppError("data/corrupt", `Cannot read "${path}": ${damage}`);
  } finally {
    await file.close();
  }
  // The compiler cannot see that the callback has assigned it.
  const found = head as Head | null;
  if (found === null || devices.length !== found.devices) {
    throw new AppError(
      "data/corrupt",
      `Cannot read "${path}": it has ${devices.length} of ${found?.devices ?? "?"} records`,
    );
  }
  return { position: { epoch: found.epoch, seq: found.seq }, devices };
}

function valuesOf({ device, rows }: DeviceRecord): readonly [DeviceUid, readonly Held[]] {
  const values = rows.map(([property, type, time, value, quality, reason, uncertainClock]) => ({
    reading: { device, property, type, time, value, quality, reason },
    uncertainClock,
  }));
  return [device, values];
}
