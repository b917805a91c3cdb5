import { AppError, type IngestEntry, type ReadingBatch } from "@penstock/model";
import { decodeBatchBody } from "@penstock/wire";

/**
 * Decodes an entry, so that the store only ever holds bodies that can be read back.
 *
 * @throws AppError link/bad-frame
 */
export function checkEntry(entry: IngestEntry): ReadingBatch {
  const { firstSeq, count } = entry;
  if (!Number.isSafeInteger(firstSeq) || firstSeq < 1 || !Number.isSafeInteger(firstSeq + count)) {
    throw new AppError("link/bad-frame", `Cannot take entry ${firstSeq}: sequence numbers are whole and from 1`);
  }
  const batch = decodeBatchBody(entry.layout, entry.body);
  if (batch.count !== count || count < 1) {
    throw new AppError(
      "link/bad-frame",
      `Cannot take entry ${firstSeq}: it says ${count} readings and has ${batch.count}`,
    );
  }
  return batch;
}
