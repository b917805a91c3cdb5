import type { FieldError } from "@penstock/model";

/** One thing about a mapper's folder: kept ("ok"), worth knowing ("note"), or to be done ("missing"). */
export interface MapperFinding extends FieldError {
  readonly level: "ok" | "note" | "missing";
  /** "manifest", "permissions", "conformance" … */
  readonly what: string;
}
