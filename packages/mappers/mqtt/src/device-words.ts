import {
  compileJsonPath,
  deviceTime,
  fillNames,
  lookUp,
  type Payload,
  type Point,
  type PointResult,
  payloadReader,
} from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import type { Address, Visitor } from "./fields.ts";

export type MqttPoint = Point<Address, Visitor>;

/** Where a device is said to be gone, and how. */
export interface Will {
  readonly key: string;
  readonly topic: string;
  isGone(payload: Payload): boolean;
}

/** A point with all that follows from its settings, worked out once. */
export interface Word {
  /** the same for points that say the same of the same messages */
  readonly key: string;
  readonly filter: string;
  readonly qos: 0 | 1;
  /** null: the message does not speak of it, and the last value stands */
  read(payload: Payload): PointResult | null;
}

export function namesOf({ device, deviceName, property, address }: MqttPoint) {
  const name = address.name;
  return { device: deviceName ?? device, property, ...(name !== undefined && { name }) };
}

/** @throws AppError mapper/bad-address, mapper/unsupported when the settings name nothing that can be subscribed to */
export function wordOf(point: MqttPoint): Word {
  const { type, visitor } = point;
  if (visitor.topic === undefined) {
    throw new AppError("mapper/bad-address", `Cannot read "${point.property}": its visitor has no topic`);
  }
  const filter = fillNames(visitor.topic, namesOf(point));
  const { format, path, scale, offset, on, off, missing, time, timeForm, qos } = visitor;
  const reader = payloadReader({ format, path, scale, offset, on, off }, type);
  const timePath = time === undefined ? null : compileJsonPath(time);
  const read = (payload: Payload): PointResult | null => {
    const { missing: isMissing, ...said } = reader(payload);
    if (isMissing === true && missing === "keep") return null;
    if (timePath === null || said.value === null) return said;
    const micros = timeIn(payload, timePath, timeForm);
    return micros === null ? { ...said, quality: "uncertain", reason: "mapper/bad-time" } : { ...said, time: micros };
  };
  const key = JSON.stringify([filter, qos, type, format, path, scale, offset, on, off, missing, time, timeForm]);
  return { key, filter, qos: qos === "1" ? 1 : 0, read };
}

export function willOf(point: MqttPoint): Will | null {
  const { willTopic, willPayload, willPath } = point.address;
  if (willTopic === undefined) return null;
  const topic = fillNames(willTopic, namesOf(point));
  const path = willPath === undefined ? null : compileJsonPath(willPath);
  const isGone = (payload: Payload) => {
    try {
      const said = path === null ? payload.text.trim() : lookUp(payload.json, path);
      return said !== undefined && String(said) === willPayload;
    } catch (error) {
      // Whatever it is, it is not the word for gone.
      if (error instanceof AppError) return false;
      throw error;
    }
  };
  return { key: JSON.stringify([topic, willPayload, willPath]), topic, isGone };
}

function timeIn(payload: Payload, path: ReturnType<typeof compileJsonPath>, form: MqttPoint["visitor"]["timeForm"]) {
  try {
    return deviceTime(lookUp(payload.json, path), form);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}
