import { AppError } from "@penstock/model";
import { type NodeId, resolveNodeId } from "node-opcua-client";
import type { Address } from "./fields.ts";

/** Node ids of one session: what people write, and the numbers that the server gives its namespaces now. */
export class NodeIds {
  readonly namespaces: readonly string[];

  /** @param namespaces the server's NamespaceArray (OPC UA 1.05 Part 5, 6.3.1) */
  constructor(namespaces: readonly string[]) {
    this.namespaces = namespaces;
  }

  /** @throws AppError mapper/bad-address when it is none, or of a namespace that the server does not have */
  parse(written: string, address?: Address): NodeId {
    const text = address?.place === undefined ? written : written.replaceAll("{place}", address.place);
    const named = /^nsu=([^;]*);([\s\S]*)$/.exec(text);
    let plain = text;
    if (named !== null) {
      const [, uri = "", rest = ""] = named;
      const index = this.namespaces.indexOf(uri);
      if (index < 0) {
        throw new AppError("mapper/bad-address", `Cannot find node "${text}": the server has no namespace "${uri}"`);
      }
      plain = `ns=${index};${rest}`;
    }
    try {
      return resolveNodeId(plain);
    } catch (cause) {
      throw new AppError("mapper/bad-address", `Cannot find node "${text}": not a node id`, { cause });
    }
  }

  /** With the namespace's name where it has one, so that it holds on the server's next start. */
  write(nodeId: NodeId): string {
    const uri = this.namespaces[nodeId.namespace];
    if (nodeId.namespace === 0 || uri === undefined || uri.includes(";")) return nodeId.toString();
    return nodeId.toString().replace(/^ns=\d+;/, `nsu=${uri};`);
  }
}
