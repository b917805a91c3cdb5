import { AppError, type BrowsedNode, browsedNodes, type ConnectionUid, isPath, limits } from "@penstock/model";
import { bad, type Check, errorCode, isCounter, orNull, shape, text } from "./link-check.ts";

/** What lies at the other end of a connection: as it stands in messages of the link. */

const path: Check<readonly string[]> = (value, at) =>
  isPath(value) ? value : bad(at, `at most ${limits.browsePathSteps} steps of text`);

const nodes: Check<BrowsedNode[]> = (value, at) => {
  try {
    return browsedNodes(value);
  } catch (error) {
    return bad(at, error instanceof AppError ? error.message : "nodes");
  }
};

export const browseFields = { id: isCounter, connection: text<ConnectionUid>(128), path };
export const browsedFields = {
  id: isCounter,
  nodes,
  error: orNull(shape({ code: errorCode, message: text(4096) })),
};
