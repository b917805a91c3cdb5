import {
  checkSettings,
  ManualClock,
  openContext,
  type Point,
  type PointResult,
  withDefaults,
} from "@penstock/mapper-sdk";
import { AppError, type ValueType } from "@penstock/model";
import { MqttConnection } from "../src/connection.ts";
import type { Address, Visitor } from "../src/fields.ts";
import { mqttDevices } from "../src/index.ts";
import { TopicNews } from "../src/topic-news.ts";

type Given = Readonly<Record<string, unknown>>;

export async function openFor(url: string, settings: Given = {}, { news = new TopicNews(), folder = "" } = {}) {
  const clock = new ManualClock();
  const given = { url, ...settings };
  const wrong = checkSettings(mqttDevices, { connection: given });
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong));
  let ended: (error: AppError) => void = () => {};
  const lost = new Promise<AppError>((resolve) => {
    ended = resolve;
  });
  const context = openContext({ clock, folder, lost: ended });
  const connection = await MqttConnection.open(withDefaults(mqttDevices.connection, given), context, news);
  return { clock, connection, lost, news };
}

export function pointOf(
  property: string,
  type: ValueType,
  visitor: Given,
  { device = "press-3", address = {} as Given } = {},
): Point<Address, Visitor> {
  const wrong = checkSettings(mqttDevices, { address, visitor });
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong));
  return {
    ...{ device: `uid-of-${device}`, deviceName: device, property, type, custom: {}, deviceCustom: {} },
    address: withDefaults(mqttDevices.address, address),
    visitor: withDefaults(mqttDevices.visitor, visitor),
  };
}

/** What a subscription told, in order, and a way to wait for it. */
export class Told {
  readonly all: (readonly [row: number, result: PointResult])[] = [];
  readonly ended = new AbortController();
  #waiting: (() => void)[] = [];

  get options() {
    return {
      signal: new AbortController().signal,
      ended: this.ended.signal,
      each: (row: number, result: PointResult) => {
        this.all.push([row, result]);
        for (const wake of this.#waiting.splice(0)) wake();
      },
    };
  }

  /** values or reasons, as told so far */
  get shown(): unknown[] {
    return this.all.map(([row, { value, reason }]) => [row, value ?? reason]);
  }

  async atLeast(count: number): Promise<void> {
    while (this.all.length < count) await new Promise<void>((wake) => this.#waiting.push(wake));
  }

  /** @returns what was told since the last time, once there are so many */
  async next(count: number): Promise<unknown[]> {
    await this.atLeast(count);
    const shown = this.shown;
    this.all.length = 0;
    return shown;
  }
}

export const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
