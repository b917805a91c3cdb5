import type { ValueType } from "../value.ts";

/**
 * KubeEdge's own names of value types, the nearest to each of ours: in its documents and in its MQTT payloads.
 *
 * @source KubeEdge 1.22, devices.kubeedge.io/v1beta1 DeviceModel: INT, FLOAT, DOUBLE, STRING, BOOLEAN, BYTES, STREAM
 */
export const kubeEdgeType = {
  bool: "BOOLEAN",
  int8: "INT",
  int16: "INT",
  int32: "INT",
  int64: "INT",
  uint8: "INT",
  uint16: "INT",
  uint32: "INT",
  uint64: "INT",
  float32: "FLOAT",
  float64: "DOUBLE",
  string: "STRING",
  bytes: "BYTES",
  json: "STRING",
} as const satisfies Record<ValueType, string>;
