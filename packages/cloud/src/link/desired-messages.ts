import { type DesiredValue, limits } from "@penstock/model";
import { controlWeight } from "./control-weight.ts";

/** a text of one unit may take so many bytes on the line */
const bytesPerUnit = 3;

/**
 * Values cut into messages so that all of one device travel in one, and the gateway can write them in one go. Only what
 * is too long for a message is cut within a device.
 */
export function desiredMessages(values: readonly DesiredValue[]): DesiredValue[][] {
  const devices = new Map<string, DesiredValue[]>();
  for (const value of values) {
    const of = devices.get(value.device);
    if (of === undefined) devices.set(value.device, [value]);
    else of.push(value);
  }
  const messages: DesiredValue[][] = [];
  let room = 0;
  for (const of of devices.values()) {
    const whole = of.reduce((sum, value) => sum + weightOf(value), 0);
    if (whole > room) room = 0;
    for (const value of of) {
      const weight = weightOf(value);
      if (room < weight) {
        messages.push([]);
        room = limits.desiredMessageBytes;
      }
      messages.at(-1)!.push(value);
      room -= weight;
    }
  }
  return messages;
}

function weightOf(value: DesiredValue): number {
  return controlWeight([value]) * bytesPerUnit;
}
