import { checkSettings, ManualClock, openContext, type Point, withDefaults } from "@penstock/mapper-sdk";
import { AppError, defaultLine, type LineSettings, type ValueType } from "@penstock/model";
import type { HttpConnection } from "../src/connection.ts";
import type { Address, Visitor } from "../src/fields.ts";
import { httpDevices } from "../src/index.ts";

type Given = Readonly<Record<string, unknown>>;

export async function openFor(
  url: string,
  settings: Given = {},
  { folder = "", line = {} as Partial<LineSettings> } = {},
) {
  const clock = new ManualClock();
  const lost: string[] = [];
  const given = { url, ...settings };
  const wrong = checkSettings(httpDevices, { connection: given });
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong));
  const context = openContext({
    ...{ clock, folder, line: { ...defaultLine, ...line } },
    lost: ({ code }) => lost.push(code),
  });
  const connection = (await httpDevices.open(withDefaults(httpDevices.connection, given), context)) as HttpConnection;
  return { clock, connection, lost };
}

export function pointOf(
  property: string,
  type: ValueType,
  visitor: Given,
  { device = "oven-1", address = {} as Given } = {},
): Point<Address, Visitor> {
  const wrong = checkSettings(httpDevices, { address, visitor });
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong));
  return {
    ...{ device: `uid-of-${device}`, deviceName: device, property, type, custom: {}, deviceCustom: {} },
    address: withDefaults(httpDevices.address, address),
    visitor: withDefaults(httpDevices.visitor, visitor),
  };
}

export const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
