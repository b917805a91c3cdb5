import { AppError, type BrowsedNode, browsedNodes, codeOf, type EffectiveConnection } from "@penstock/model";
import { budgetMs } from "./budget.ts";
import type { Mapper } from "./mapper.ts";
import type { MapperProcess } from "./mapper-process.ts";

/** A server may take its time to list a large folder. */
const leastMs = 10_000;
/** Whoever has just described a connection browses it at once: its mapper may be the first of its protocol here. */
const startsWithinMs = 15_000;

/**
 * What lies directly below `path` at the other end of a connection; [] is the top. Beside the cycles, not in their turns:
 * people wait for it, and a mapper that can be asked one thing at a time queues it itself.
 *
 * @throws AppError mapper/…
 */
export async function browse(
  { connection, mapper }: { readonly connection: EffectiveConnection; readonly mapper: Mapper },
  path: readonly string[],
): Promise<BrowsedNode[]> {
  const running = await processOf(mapper, connection.name);
  const deadlineMs = Math.max(leastMs, budgetMs(connection.line, 1));
  const answer = await running.request((id) => ({ t: "browse", id, connection: connection.uid, path, deadlineMs }), {
    deadlineMs,
  });
  if (answer.t !== "browsed") {
    throw new AppError("mapper/bad-answer", `The mapper answered a question with "${answer.t}"`);
  }
  return browsedNodes(answer.nodes);
}

async function processOf(mapper: Mapper, connection: string): Promise<MapperProcess> {
  try {
    return await mapper.whenRunning(startsWithinMs);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new AppError(codeOf(error), `Cannot browse "${connection}": ${message}`, { cause: error });
  }
}
