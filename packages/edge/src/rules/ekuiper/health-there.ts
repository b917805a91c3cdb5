import { isObject } from "@penstock/model";

/** How a rule is at an eKuiper. */
export interface HealthThere {
  readonly state: "running" | "stopped" | "failed";
  readonly message: string | null;
  readonly rowsIn: number;
  readonly errors: number;
  readonly lastError: string | null;
}

/**
 * Reads the status of a rule as eKuiper 1 and 2 tell it.
 *
 * @source reference 1.5, status keys
 */
export function healthThere(status: unknown): HealthThere {
  const keys = isObject(status) ? status : {};
  const message = typeof keys.message === "string" && keys.message !== "" ? keys.message : null;
  const said = String(keys.status ?? "").toLowerCase();
  const isByHand = said === "stopped" && (message === null || /cancell?ed manually/.test(message));
  const state = said === "running" ? "running" : isByHand ? "stopped" : "failed";
  const number = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value : 0);
  let [rowsIn, errors] = [0, 0];
  let lastError: string | null = null;
  for (const [key, value] of Object.entries(keys)) {
    if (/^source_.*_records_in_total$/.test(key)) rowsIn += number(value);
    // An error goes on through the operators behind: where it is counted most it was made.
    if (/_exceptions_total$/.test(key)) errors = Math.max(errors, number(value));
    if (/_last_exception$/.test(key) && typeof value === "string" && value !== "") lastError = value;
  }
  return { state, message, rowsIn, errors, lastError };
}
