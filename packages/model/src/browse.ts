import { AppError } from "./errors.ts";
import { limits } from "./limits.ts";
import { type Access, accesses } from "./resources/device.ts";
import { type Json, type ValueType, valueTypes } from "./value.ts";

/** One thing that a device says it has. */
export interface BrowsedNode {
  readonly name: string;
  /** what to ask for to see what lies below it */
  readonly path: readonly string[];
  /** set when it can be a property: the visitor that reads it */
  readonly visitor?: Readonly<Record<string, Json>>;
  readonly type?: ValueType;
  readonly access?: Access;
  readonly unit?: string;
  /** for people, such as what the device says of it */
  readonly description?: string;
  /** something lies below it */
  readonly hasChildren?: boolean;
}

const textChars = 1024;
const visitorChars = 8192;

/**
 * What came of foreign code or over a wire, as nodes. Unknown fields are left out, long texts are cut.
 *
 * @throws AppError mapper/bad-answer when it is no list of nodes
 */
export function browsedNodes(given: unknown): BrowsedNode[] {
  if (!Array.isArray(given)) throw wrong("no list");
  return given.slice(0, limits.browsedNodes).map(browsedNode);
}

function browsedNode(given: unknown): BrowsedNode {
  if (typeof given !== "object" || given === null) throw wrong("a node that is no object");
  const { name, path, visitor, type, access, unit, description, hasChildren } = given as Record<string, unknown>;
  if (typeof name !== "string" || name === "") throw wrong("a node without a name");
  if (!isPath(path)) throw wrong(`"${name.slice(0, 80)}" without a path`);
  const isVisitor = typeof visitor === "object" && visitor !== null && JSON.stringify(visitor).length <= visitorChars;
  return {
    name: name.slice(0, textChars),
    path,
    ...(isVisitor && { visitor: visitor as Readonly<Record<string, Json>> }),
    ...(valueTypes.includes(type as ValueType) && { type: type as ValueType }),
    ...(accesses.includes(access as Access) && { access: access as Access }),
    ...(typeof unit === "string" && { unit: unit.slice(0, 32) }),
    ...(typeof description === "string" && { description: description.slice(0, textChars) }),
    ...(typeof hasChildren === "boolean" && { hasChildren }),
  };
}

/** Whether a path is one: steps of text, not too many. */
export function isPath(path: unknown): path is readonly string[] {
  return (
    Array.isArray(path) &&
    path.length <= limits.browsePathSteps &&
    path.every((step) => typeof step === "string" && step.length <= textChars)
  );
}

function wrong(what: string): AppError {
  return new AppError("mapper/bad-answer", `Cannot use what the mapper found: ${what}`);
}
