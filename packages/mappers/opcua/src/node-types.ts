import { AppError } from "@penstock/model";
import { AttributeIds, type DataType, findBasicDataType, NodeId } from "node-opcua-client";
import type { Session } from "./session.ts";
import { qualityOf, reasonOf } from "./status.ts";
import type { NodeType } from "./to-variant.ts";

/** Node types that are remembered; a type of a node does not change while a session stands. */
const mostKnown = 20_000;

/** Of which type the nodes of a session are, asked once each. */
export class NodeTypes {
  readonly #session: Session;
  readonly #known = new Map<string, NodeType>();
  readonly #builtIn = new Map<string, DataType>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** By `nodeId.toString()`; an AppError for what the server does not tell. */
  async of(nodeIds: readonly NodeId[], signal: AbortSignal): Promise<ReadonlyMap<string, NodeType | AppError>> {
    const found = new Map<string, NodeType | AppError>();
    const unknown = nodeIds.filter((nodeId) => !this.#known.has(nodeId.toString()));
    const each = Math.floor(this.#session.maxPerCall / 2);
    for (let from = 0; from < unknown.length; from += each) {
      const part = unknown.slice(from, from + each);
      const asked = part.flatMap((nodeId) => [
        { nodeId, attributeId: AttributeIds.DataType },
        { nodeId, attributeId: AttributeIds.ValueRank },
      ]);
      const what = `read the types of ${part.length} nodes`;
      const answers = await this.#session.ask(what, signal, (session) => session.read(asked, 0));
      for (const [i, nodeId] of part.entries()) {
        const [type, rank] = [answers[i * 2], answers[i * 2 + 1]];
        const key = nodeId.toString();
        if (type === undefined || qualityOf(type.statusCode) === "bad" || !(type.value.value instanceof NodeId)) {
          const status = type?.statusCode;
          const code = status === undefined || status.isGood() ? "mapper/bad-answer" : reasonOf(status);
          found.set(key, new AppError(code, `Cannot read the type of ${key}: ${status?.name ?? "no answer"}`));
          continue;
        }
        const valueRank = typeof rank?.value?.value === "number" ? rank.value.value : -1;
        const known = { dataType: await this.builtIn(type.value.value, signal), valueRank };
        if (this.#known.size < mostKnown) this.#known.set(key, known);
        found.set(key, known);
      }
    }
    for (const nodeId of nodeIds) {
      const known = this.#known.get(nodeId.toString());
      if (known !== undefined) found.set(nodeId.toString(), known);
    }
    return found;
  }

  /** The built-in type that one of the server's types stands for, such as Int32 for an enumeration. */
  async builtIn(dataType: NodeId, signal: AbortSignal): Promise<DataType> {
    const isStandard = dataType.namespace === 0 && typeof dataType.value === "number";
    // OPC UA 1.05 Part 6, 5.1.2: the built-in types have the ids 1 to 25, of which these are no groups of others
    if (isStandard && Number(dataType.value) <= 23) return Number(dataType.value) as DataType;
    const key = dataType.toString();
    let found = this.#builtIn.get(key);
    if (found === undefined) {
      found = await this.#session.ask(`look up data type ${key}`, signal, (session) =>
        findBasicDataType(session, dataType),
      );
      if (this.#builtIn.size < mostKnown) this.#builtIn.set(key, found);
    }
    return found;
  }
}
