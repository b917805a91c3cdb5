import { AppError, type Layout, limits, type NodeUid } from "@penstock/model";
import type { IngestMetrics } from "./metrics.ts";

/**
 * Layouts that each node has used while this process runs. The store keeps every layout for ever, and a device of 1,000
 * properties has more of them than any disk could hold.
 *
 * Bound: `limits.layoutsPerNode` numbers a node.
 */
export function createLayoutUse(metrics: IngestMetrics) {
  const byNode = new Map<NodeUid, { readonly ids: Set<number>; properties: number }>();
  return {
    /** @throws AppError request/too-many */
    count(node: NodeUid, id: number, layout: Layout): void {
      const use = byNode.get(node) ?? { ids: new Set<number>(), properties: 0 };
      byNode.set(node, use);
      if (use.ids.has(id)) return;
      use.properties += layout.properties.length;
      if (use.ids.size >= limits.layoutsPerNode) refuse("layoutsPerNode");
      if (use.properties > limits.layoutPropertiesPerNode) refuse("layoutPropertiesPerNode");
      use.ids.add(id);
    },
  };
  function refuse(limit: "layoutsPerNode" | "layoutPropertiesPerNode"): never {
    metrics.limited(limit).add();
    const text = `Cannot take readings: the node's layouts are beyond ${limits[limit]}, the limit "${limit}"`;
    throw new AppError("request/too-many", text);
  }
}
export type LayoutUse = ReturnType<typeof createLayoutUse>;
