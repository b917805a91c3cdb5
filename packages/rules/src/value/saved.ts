import type { Value } from "./value.ts";

/** What something remembers, as plain data that `encodeSaved` makes bytes of. */
export type Saved = Value;

/** Whatever remembers something between rows. What `save` gives, `restore` of a new one of the same kind takes. */
export interface Stateful {
  save(): Saved;
  restore(saved: Saved): void;
}

/** One of several in a query; what another text's call with the same fingerprint remembers fits it. */
export interface Remembering extends Stateful {
  readonly fingerprint: string;
}

export function saveEach(parts: readonly Remembering[]): Saved {
  return parts.map((one): Saved => [one.fingerprint, one.save()]);
}

/** Each takes what the one with its fingerprint remembered, the second of two the second's; the others begin anew. */
export function restoreEach(parts: readonly Remembering[], saved: Saved): void {
  const left = [...(saved as unknown as readonly (readonly [string, Saved])[])];
  for (const part of parts) {
    const at = left.findIndex(([fingerprint]) => fingerprint === part.fingerprint);
    if (at >= 0) part.restore(left.splice(at, 1)[0]![1]);
  }
}
