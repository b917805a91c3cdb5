import { MemoryUnit, ModbusException } from "@penstock/testkit";

export const orderDevices = ["orders-1", "orders-2"] as const;
export const firstOrderUnit = 3;
/**
 * How the last value of each ends: the device refuses it; the device takes it and keeps its own; its time may run out; it is
 * the later one of two.
 */
export const orderProperties = ["refused", "deaf", "brief", "raced"] as const;
export type OrderProperty = (typeof orderProperties)[number];
/** uint32 side by side, so that one question may write several of them */
export const registersEach = 2;

/** values that the device will not have, of the properties that are made for it */
export function isRuledOut(value: number): boolean {
  return value > 0 && value % 3 === 0;
}

export interface SeenWrite {
  readonly property: OrderProperty;
  readonly value: number;
  /** milliseconds since 1970 */
  readonly at: number;
}

/** A machine with a will of its own, which remembers what it was told to be. */
export class OrderUnit extends MemoryUnit {
  /** what it took, in order, also what it did not keep */
  readonly writes: SeenWrite[] = [];

  constructor() {
    super({ holding: orderProperties.length * registersEach });
  }

  override writeRegisters(start: number, words: Uint16Array): void {
    const written: { readonly property: OrderProperty; readonly value: number; readonly at: number }[] = [];
    for (let offset = 0; offset < words.length; offset += registersEach) {
      const value = words[offset]! * 0x1_0000 + words[offset + 1]!;
      written.push({ property: orderProperties[(start + offset) / registersEach]!, value, at: Date.now() });
    }
    if (written.some(({ property, value }) => property === "refused" && isRuledOut(value))) {
      throw new ModbusException("illegalDataValue", "Ruled out");
    }
    this.writes.push(...written);
    written.forEach(({ property, value }, i) => {
      if (property === "deaf" && isRuledOut(value)) return;
      super.writeRegisters(start + i * registersEach, words.subarray(i * registersEach, (i + 1) * registersEach));
    });
  }

  get held(): Readonly<Record<OrderProperty, number>> {
    const at = (i: number) => this.holding[i * registersEach]! * 0x1_0000 + this.holding[i * registersEach + 1]!;
    return Object.fromEntries(orderProperties.map((property, i) => [property, at(i)])) as Record<OrderProperty, number>;
  }
}
