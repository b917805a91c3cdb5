import { AppError } from "@penstock/model";
import type { Parcel, ParcelRow, Refusal } from "./courier.ts";
import { noRefusals } from "./courier.ts";

/**
 * Sends rows together, and one by one where together they are refused: then one bad row does not take the others with it.
 *
 * @throws AppError rules/sink-unreachable, from whichever try
 */
export async function oneByOneWhenRefused(
  { rows }: Parcel,
  send: (rows: readonly ParcelRow[]) => Promise<void>,
): Promise<readonly Refusal[]> {
  try {
    await send(rows);
    return noRefusals;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (rows.length === 1) return [{ at: 0, reason: error.message }];
  }
  const refusals: Refusal[] = [];
  for (const [at, row] of rows.entries()) {
    try {
      await send([row]);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusals.push({ at, reason: error.message });
    }
  }
  return refusals;
}

function isRefusal(error: unknown): error is AppError {
  return error instanceof AppError && error.code === "rules/sink-refused";
}
