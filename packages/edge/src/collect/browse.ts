import { AppError, type BrowsedNode, browsedNodes, type EffectiveConnection } from "@penstock/model";
import { budgetMs } from "./budget.ts";
import type { Mapper } from "./mapper.ts";

/** A server may take its time to list a large folder. */
const leastMs = 10_000;

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
  const { running } = mapper;
  if (running === null) {
    const { code, message } = mapper.trouble();
    throw new AppError(code, `Cannot browse "${connection.name}": ${message}`);
  }
  const deadlineMs = Math.max(leastMs, budgetMs(connection.line, 1));
  const answer = await running.request((id) => ({ t: "browse", id, connection: connection.uid, path, deadlineMs }), {
    deadlineMs,
  });
  if (answer.t !== "browsed") {
    throw new AppError("mapper/bad-answer", `The mapper answered a question with "${answer.t}"`);
  }
  return browsedNodes(answer.nodes);
}
