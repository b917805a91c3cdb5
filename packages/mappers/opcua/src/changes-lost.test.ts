import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { PointResult } from "@penstock/mapper-sdk";
import {
  DataChangeNotification,
  DataType,
  DataValue,
  EventFieldList,
  EventNotificationList,
  MonitoredItemNotification,
  NotificationMessage,
  resolveNodeId,
  StatusCode,
  StatusCodes,
  Variant,
} from "node-opcua-client";
import { openFor, point } from "../test/open-for.ts";
import { PlantServer } from "../test/plant-server.ts";
import { eventResult, isQueueOverflow } from "./event-result.ts";
import { datedResultOf } from "./result-of.ts";
import { ServerSubscription } from "./server-subscription.ts";
import { hasOverflown } from "./status.ts";

let plant: PlantServer;
const signal = new AbortController().signal;
before(async () => {
  plant = await PlantServer.start({ counters: 2 });
});
after(() => plant.stop());

/** value, and what is said of it where that is more than "good" */
const shown = ({ value, quality, reason }: PointResult) => (quality === undefined ? value : [value, quality, reason]);
const lost = (value: unknown) => [value, "uncertain", "mapper/changes-lost"];

// Nobody would know otherwise: the values that came are right, those that did not come are in no counter.
for (const { discard, expected } of [
  { discard: "oldest", expected: [0, lost(16), 17, 18, 19, 20, 21] },
  { discard: "newest", expected: [0, 1, 2, 3, 4, lost(20), 21] },
]) {
  test(`a server's queue that was full, discarding the ${discard}: the value behind the gap says so, and no other`, async (t) => {
    const { connection, close } = await openFor(plant.url);
    t.after(close);
    plant.raise(0);
    const told: PointResult[] = [];
    let came = () => {};
    const until = (count: number) =>
      new Promise<void>((resolve) => {
        came = () => told.length >= count && resolve();
        came();
      });
    const points = [point("count0", "uint32", { publishing: 500, sampling: 0, queue: 5, discard })];
    const ended = new AbortController();
    const each = (_: number, result: PointResult) => {
      told.push(result);
      came();
    };
    await connection.subscribe(points, { signal, ended: ended.signal, each });
    await until(1);
    for (let i = 1; i <= 20; i++) plant.raise(i);
    await until(6);
    plant.raise(21);
    await until(7);
    assert.deepEqual(told.map(shown), expected);
  });
}

/** A subscription as if at a server, with two items; news are handed to it by the test. */
function subscription() {
  const told: unknown[] = [];
  const made = new ServerSubscription({
    ...{ id: 1, publishingMs: 100, keepAliveMs: 3000, ended: () => assert.fail("it did not end") },
    session: null as unknown as ConstructorParameters<typeof ServerSubscription>[0]["session"], // nothing is decoded
  });
  for (const handle of [1, 2]) {
    made.items.set(handle, {
      take: (value) => datedResultOf("uint32", value as DataValue),
      isBehind: (value) => hasOverflown((value as DataValue).statusCode),
      each: (result) => told.push([handle, shown(result)]),
      hasGap: false,
    });
  }
  return { made, told };
}
function message(
  sequenceNumber: number,
  values: readonly (readonly [handle: number, value: number, status?: StatusCode])[],
) {
  const monitoredItems = values.map(([clientHandle, value, statusCode = StatusCodes.Good]) => {
    const variant = new Variant({ dataType: DataType.UInt32, value });
    return new MonitoredItemNotification({ clientHandle, value: new DataValue({ value: variant, statusCode }) });
  });
  return new NotificationMessage({
    sequenceNumber,
    notificationData: [new DataChangeNotification({ monitoredItems })],
  });
}

test("messages that the server no longer has: the next value of every item says that changes are lost", () => {
  const { made, told } = subscription();
  made.take(
    message(1, [
      [1, 10],
      [2, 10],
    ]),
  );
  assert.deepEqual(made.take(message(3, [[1, 12]])).missing, [2]);
  assert.deepEqual(made.gone(2).lost, 1);
  made.take(
    message(4, [
      [1, 13],
      [2, 13],
    ]),
  );
  assert.deepEqual(told, [
    [1, 10],
    [2, 10],
    [1, lost(12)],
    [1, 13],
    [2, lost(13)],
  ]);
});

test("a bad value keeps its own reason; that changes are lost is said with the next one", () => {
  const { made, told } = subscription();
  const overflown = (status: StatusCode) => StatusCode.makeStatusCode(status, "Overflow | InfoTypeDataValue");
  made.take(
    message(1, [
      [1, 1, overflown(StatusCodes.BadSensorFailure)],
      [1, 2],
      [1, 3],
    ]),
  );
  made.take(message(2, [[1, 4, overflown(StatusCodes.UncertainInitialValue)]]));
  assert.equal(
    JSON.stringify(told),
    JSON.stringify([
      [1, null],
      [1, lost(2)],
      [1, 3],
      [1, lost(4)],
    ]),
  );
});

test("events that the server's queue had no room for are told by the server's own event", () => {
  const { made, told } = subscription();
  const fields = ["Message"];
  made.items.set(3, {
    take: (values) => eventResult(fields, values as readonly Variant[]),
    isBehind: (values) => isQueueOverflow(fields, values as readonly Variant[]),
    each: ({ quality, reason }) => told.push([quality, reason]),
    hasGap: false,
  });
  const event = (type: string) =>
    new EventFieldList({
      clientHandle: 3,
      eventFields: [
        new Variant({ dataType: DataType.String, value: "Door open" }),
        new Variant({ dataType: DataType.DateTime, value: new Date() }),
        new Variant({ dataType: DataType.NodeId, value: resolveNodeId(type) }),
      ],
    });
  const events = [event("i=2041"), event("i=3035"), event("ns=1;i=3035")];
  made.take(new NotificationMessage({ sequenceNumber: 1, notificationData: [new EventNotificationList({ events })] }));
  assert.deepEqual(told, [
    [undefined, undefined],
    ["uncertain", "mapper/changes-lost"],
    [undefined, undefined],
  ]);
});
