/** @source Sparkplug 3.0.0, 4.1: spBv1.0/group_id/message_type/edge_node_id/[device_id] */
export const sparkplugTypes = ["NBIRTH", "NDEATH", "NDATA", "NCMD", "DBIRTH", "DDEATH", "DDATA", "DCMD"] as const;
export type SparkplugType = (typeof sparkplugTypes)[number];

export interface SparkplugAddress {
  readonly group: string;
  readonly node: string;
  /** null for messages of the node itself */
  readonly device: string | null;
}

export function sparkplugTopic(type: SparkplugType, { group, node, device }: SparkplugAddress): string {
  return ["spBv1.0", group, type, node, ...(device === null ? [] : [device])].join("/");
}

/** null for a topic that is none of Sparkplug B */
export function parseSparkplugTopic(topic: string): (SparkplugAddress & { readonly type: SparkplugType }) | null {
  const [space, group, name, node, device, ...more] = topic.split("/");
  const type = sparkplugTypes.find((one) => one === name);
  if (space !== "spBv1.0" || !group || type === undefined || !node || device === "" || more.length > 0) return null;
  return (device !== undefined) === type.startsWith("D") ? { group, type, node, device: device ?? null } : null;
}
