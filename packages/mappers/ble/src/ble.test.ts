import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { Message, sessionBus, Variant } from "@jellybrick/dbus-next";
import { AppError } from "@penstock/model";
import { needs } from "@penstock/testkit";
import type { PlayedDevice } from "../test/bluez-process.ts";
import { forever, type OpenedBle, openBle, PlayedBluez, PlayedBus, point, Told } from "../test/play.ts";

const long = (short: string) => `0000${short}-0000-1000-8000-00805f9b34fb`;
const mac = "AA:BB:CC:DD:EE:01";
const dev = "/org/bluez/hci0/dev_AA_BB_CC_DD_EE_01";
const [battery, level, command] = [
  `${dev}/service0000/char0000`,
  `${dev}/service0001/char0000`,
  `${dev}/service0001/char0001`,
];
const thing: PlayedDevice = {
  ...{ mac, name: "thing", rssi: -60, uuids: [long("180f"), long("181a")] },
  services: {
    [long("180f")]: [{ uuid: long("2a19"), flags: ["read", "notify"], value: [87] }],
    [long("181a")]: [
      { uuid: long("2a6e"), flags: ["indicate"], value: [0, 0] },
      { uuid: long("2a58"), flags: ["read", "write", "write-without-response"], value: [1, 2, 3, 4] },
      { uuid: long("2a19"), flags: ["read"], value: [5] },
    ],
  },
};
const batteryPoint = point({ mac }, { service: "180f", characteristic: "2a19" });
const toldBattery = point({ mac }, { mode: "notify", service: "180f", characteristic: "2a19" });

let bus: PlayedBus;
let bluez: PlayedBluez;
let opened: OpenedBle;
describe("ble, with bluetoothd played on a real bus", needs("dbus"), () => {
  before(async () => {
    bus = await PlayedBus.start();
  });
  after(() => bus.close());
  beforeEach(async () => {
    bluez = await PlayedBluez.start(bus.address);
    await bluez.device(thing);
    opened = await openBle(bus.address);
  });
  afterEach(async () => {
    await opened.connection.close();
    await bluez.close();
  });

  const read = async (...points: ReturnType<typeof point>[]) => {
    const results = await opened.connection.read(points, { signal: forever() });
    return results.map(({ value, reason }) => value ?? reason);
  };
  const write = (at: ReturnType<typeof point>, value: unknown) =>
    opened.connection.write(at, value as number, { signal: forever() }).then(
      () => "written",
      (error: unknown) => (error instanceof AppError ? error.code : String(error)),
    );
  const asked = async (member: string) =>
    (await bluez.log()).log.filter((line) => line.startsWith(`${member} `)).length;

  async function subscribed(points: readonly ReturnType<typeof point>[]) {
    const told = new Told();
    const end = new AbortController();
    await opened.connection.subscribe(points, { each: told.each, ended: end.signal, signal: forever() });
    return { told, end: () => end.abort() };
  }

  test("a device is scanned for, connected once and read; properties of one characteristic cost one question", async () => {
    const half = point({ mac }, { characteristic: "2a58", start: 1, end: 0 }, "uint16");
    const other = point({ mac }, { characteristic: "2a58", start: 3, end: 2 }, "uint16");
    assert.deepEqual(await read(batteryPoint, half, other), [87, 0x0201, 0x0403]);
    const { log, discovering } = await bluez.log();
    assert.equal(discovering, false, "nobody looks around any longer than needed");
    assert.equal(log.filter((line) => line.startsWith("Connect ")).length, 1);
    assert.equal(log.filter((line) => line === `ReadValue ${command}`).length, 1);
    assert.deepEqual(await read(batteryPoint), [87]);
    assert.equal(await asked("Connect"), 0);
  });

  test("a device is found by its name or a service, and never taken for another", async () => {
    for (const address of [
      { by: "name", name: "thing" },
      { by: "service", service: "181a" },
    ])
      assert.deepEqual(await read(point(address, { service: "180f", characteristic: "2a19" })), [87]);
    await bluez.device({ ...thing, mac: "AA:BB:CC:DD:EE:02" });
    const { connection } = await openBle(bus.address, { scanSeconds: 1 });
    try {
      await connection.browse([], { signal: forever() });
      const at = point({ by: "name", name: "thing" }, { service: "180f", characteristic: "2a19" });
      const [result] = await connection.read([at], { signal: forever() });
      assert.equal(result?.reason, "mapper/bad-address");
    } finally {
      await connection.close();
    }
  });

  test("a characteristic that is missing or ambiguous is a bad address; the others are read", async () => {
    const missing = point({ mac }, { characteristic: "ffff" });
    const ambiguous = point({ mac }, { characteristic: "2a19" });
    assert.deepEqual(await read(missing, ambiguous, batteryPoint), ["mapper/bad-address", "mapper/bad-address", 87]);
  });

  test("a value is written, with response and without, in the middle of others and as bytes", async () => {
    const at = (visitor: object, type: "uint16" | "bytes" | "string" = "uint16") =>
      point({ mac }, { characteristic: "2a58", ...visitor }, type);
    assert.equal(await write(at({ start: 0, end: 1 }), 0x0506), "written");
    assert.equal(await write(at({}, "bytes"), Uint8Array.of(1, 2, 3, 4)), "written");
    assert.equal(await write(at({ start: 2, end: 1, reply: false }), 0x0a0b), "written");
    assert.equal(await write(at({ words: ["ON=01"] }, "string"), "ON"), "written");
    assert.equal(await write(at({ start: 0, end: 1 }), 70_000), "mapper/value-out-of-range");
    const { written } = await bluez.log();
    assert.deepEqual(
      written.map(({ bytes, how }) => [Buffer.from(bytes).toString("hex"), how]),
      [
        ["0506", "request"],
        ["01020304", "request"],
        ["010b0a04", "command"],
        ["01", "request"],
      ],
    );
    await bluez.behave({ member: "WriteValue", error: "org.bluez.Error.NotPermitted" });
    assert.equal(await write(at({ start: 0, end: 1 }), 1), "mapper/value-refused");
  });

  test("notifications come in their order, after the present value; one StartNotify serves all, the last ends it", async () => {
    const first = await subscribed([toldBattery]);
    const second = await subscribed([
      toldBattery,
      point({ mac }, { mode: "indicate", characteristic: "2a6e", start: 1, end: 0 }, "uint16"),
    ]);
    for (let i = 1; i <= 20; i++) await bluez.order({ do: "value", path: battery, bytes: [i] });
    await bluez.order({ do: "value", path: level, bytes: [0x34, 0x12] });
    await second.told.until(() => second.told.shown(1).length === 1 && second.told.shown().length >= 21);
    assert.deepEqual(second.told.shown(1), [0x1234]);
    assert.deepEqual(first.told.shown(), [87, ...Array.from({ length: 20 }, (_, i) => i + 1)]);
    const { log } = await bluez.log();
    assert.equal(log.filter((line) => line === `StartNotify ${battery}`).length, 1);
    first.end();
    await bluez.order({ do: "value", path: battery, bytes: [50] });
    await second.told.until(() => second.told.shown().includes(50));
    assert.equal(first.told.shown().includes(50), false);
    assert.equal(await asked("StopNotify"), 0);
    second.end();
    await read(batteryPoint);
    assert.equal(await asked("StopNotify"), 2);
  });

  test("what a characteristic cannot do is said for its row only", async () => {
    const { told } = await subscribed([point({ mac }, { mode: "notify", characteristic: "2a58" }), toldBattery]);
    await told.until(() => told.shown(1).length > 0);
    assert.deepEqual([told.shown(0), told.shown(1)], [["mapper/function-unsupported"], [87]]);
  });

  test("a device that goes is offline at once, and subscribed to again when it is back", async () => {
    const { told } = await subscribed([toldBattery]);
    await bluez.behave({ member: "Connect", error: "org.bluez.Error.Failed", times: 3 });
    await bluez.order({ do: "drop", mac });
    await told.until(() => told.shown().length >= 3);
    assert.deepEqual(told.shown(), [87, "mapper/device-offline", 87]);
    assert.deepEqual(opened.lost, [], "the adapter and the other devices stay");
    await bluez.order({ do: "value", path: battery, bytes: [9] });
    await told.until(() => told.shown().at(-1) === 9);
  });

  test("a device that the adapter forgets is looked for again", async () => {
    const { told } = await subscribed([toldBattery]);
    await bluez.order({ do: "forget", mac });
    await told.until(() => told.shown().at(-1) === "mapper/device-offline");
    await bluez.device(thing);
    await told.until(() => told.shown().at(-1) === 87);
  });

  test("a device that is not there costs a time-out, and is connected when it comes", async () => {
    await bluez.order({ do: "forget", mac });
    const abort = new AbortController();
    const reading = opened.connection.read([batteryPoint], { signal: abort.signal });
    abort.abort();
    await assert.rejects(reading, { code: "aborted" });
    await bluez.device(thing);
    let value: unknown;
    for (let i = 0; i < 200 && value !== 87; i++) [value] = await read(batteryPoint);
    assert.equal(value, 87);
  });

  test("scan: never uses only what bluetoothd knows", async () => {
    const { connection } = await openBle(bus.address, { scan: "never" });
    const [result] = await connection.read([batteryPoint], { signal: forever() });
    await connection.close();
    assert.equal(result?.reason, "mapper/device-offline");
    assert.equal(await asked("StartDiscovery"), 0);
  });

  test("one device is being connected at a time, whoever asks", async () => {
    const macs = ["AA:BB:CC:DD:EE:01", "AA:BB:CC:DD:EE:03", "AA:BB:CC:DD:EE:04"];
    for (const one of macs.slice(1)) await bluez.device({ ...thing, mac: one });
    await bluez.behave({ member: "Connect", delayMs: 60 });
    const second = await openBle(bus.address);
    try {
      const at = (one: string) => point({ mac: one }, { service: "180f", characteristic: "2a19" });
      const started = performance.now();
      const results = await Promise.all([
        read(at(macs[0]!), at(macs[1]!)),
        second.connection.read([at(macs[2]!)], { signal: forever() }),
      ]);
      assert.deepEqual(results[0], [87, 87]);
      assert.equal(results[1][0]?.value, 87);
      assert.ok(performance.now() - started >= 170, "three after each other");
    } finally {
      await second.connection.close();
    }
  });

  for (const [what, happens] of [
    ["bluetoothd is started again", () => bluez.order({ do: "restart" })],
    ["the adapter is switched off", () => bluez.order({ do: "power", on: false })],
  ] as const) {
    test(`${what}: the connection is lost, and everything works on the next`, async () => {
      const { told } = await subscribed([toldBattery]);
      assert.deepEqual(told.shown(), [87]);
      await happens();
      for (let i = 0; i < 100 && opened.lost.length === 0; i++) await bluez.log();
      assert.deepEqual(opened.lost, ["mapper/connection-lost"]);
      await opened.connection.close();
      opened = await openBle(bus.address);
      assert.deepEqual(await read(batteryPoint), [87]);
    });
  }

  test("open says what is missing: the bus, bluetoothd, the adapter", async () => {
    const failing = async (address: string, settings: Readonly<Record<string, unknown>> = {}) =>
      openBle(address, settings).then(
        () => "opened",
        (error: AppError) => `${error.code}: ${error.message}`,
      );
    assert.match(await failing(`unix:path=${bus.folder}/none`), /^mapper\/connect-failed: Cannot reach the bus at/);
    assert.match(await failing(bus.address, { adapter: "hci7" }), /connect-failed: .*there is only hci0$/);
    await bluez.close();
    assert.match(await failing(bus.address), /^mapper\/connect-failed: Cannot reach bluetoothd: .*NameHasNoOwner/);
    bluez = await PlayedBluez.start(bus.address);
  });

  test("an adapter by its own address; one that is off is switched on unless that is not wanted", async () => {
    await bluez.order({ do: "power", on: false });
    await assert.rejects(openBle(bus.address, { powerOn: false }), { code: "mapper/connect-failed" });
    const { connection } = await openBle(bus.address, { adapter: "00:1a:7d:da:71:13" });
    await connection.close();
    assert.equal(await asked("Set"), 1);
  });

  test("a device that says nothing costs a time-out, and its late answer is nobody's", async () => {
    await read(batteryPoint);
    await bluez.behave(
      { member: "ReadValue", path: "char0000", delayMs: 2300, times: 1 },
      { member: "ReadValue", raw: { signature: "ay", body: [{ $bytes: [7] }] } },
    );
    assert.deepEqual(await read(batteryPoint), ["mapper/timeout"]);
    assert.deepEqual(await read(batteryPoint), [7]);
    await bluez.behave();
    for (let i = 0; i < 20; i++) assert.deepEqual(await read(batteryPoint), [87]);
  });

  test("close ends what is in flight, and disconnects what was connected here only", async () => {
    await read(batteryPoint);
    await bluez.behave({ member: "ReadValue", silent: true });
    const reading = opened.connection.read([batteryPoint], { signal: forever() });
    await opened.connection.close();
    assert.equal((await reading)[0]?.value, null);
    assert.equal(await asked("Disconnect"), 1);
    assert.deepEqual(opened.lost, []);
    assert.equal((await opened.connection.read([batteryPoint], { signal: forever() }))[0]?.value, null);
  });

  test("what a device advertises is a value without a connection, until it is too old", async () => {
    const sensor: PlayedDevice = { mac: "AA:BB:CC:DD:EE:09", rssi: -70, manufacturer: { 76: [0x00, 0x10] } };
    await bluez.device(sensor);
    const advert = (visitor: object, type: "uint16" | "int8" = "uint16") =>
      point({ mac: sensor.mac }, { mode: "advertisement", ...visitor }, type);
    const points = [advert({ source: "manufacturer", company: 76, maxAge: 1500 }), advert({ source: "rssi" }, "int8")];
    const { told, end } = await subscribed(points);
    await told.until(() => told.shown().includes(0x0010) && told.shown(1).includes(-70));
    await bluez.order({ do: "advertise", mac: sensor.mac, manufacturer: { 76: [0x01, 0x23] }, rssi: -71 });
    await told.until(() => told.shown().at(-1) === 0x0123 && told.shown(1).at(-1) === -71);
    assert.deepEqual(await read(...points), [0x0123, -71]);
    assert.equal(await asked("Connect"), 0);
    await told.until(() => told.shown().at(-1) === "mapper/device-offline");
    assert.deepEqual(await read(points[0]!), ["mapper/device-offline"]);
    end();
  });

  test("any advertisement says that a device still has its name, and after silence tells it again", async () => {
    const sensor: PlayedDevice = { mac: "AA:BB:CC:DD:EE:0A", name: "probe", rssi: -70 };
    await bluez.device(sensor);
    const name = point({ mac: sensor.mac }, { mode: "advertisement", source: "name", maxAge: 1000 }, "string");
    const { told, end } = await subscribed([name]);
    await told.until(() => told.shown().at(-1) === "probe");
    await told.until(() => told.shown().at(-1) === "mapper/device-offline");
    assert.deepEqual(await read(name), ["mapper/device-offline"]);
    await bluez.order({ do: "advertise", mac: sensor.mac, rssi: -71 });
    await told.until(() => told.shown().at(-1) === "probe");
    assert.deepEqual(await read(name), ["probe"]);
    end();
  });

  test("browse: devices around, their services and advertisements, their characteristics as visitors", async () => {
    const browse = (path: string[]) => opened.connection.browse(path, { signal: forever() });
    assert.deepEqual(await browse([]), [
      {
        ...{ name: `thing (${mac})`, path: [mac], hasChildren: true },
        description: "-60 dBm; services 180f, 181a",
      },
    ]);
    assert.deepEqual(
      (await browse([mac])).map(({ name, path }) => [name, path]),
      [
        ["rssi", [mac, "rssi"]],
        ["180f", [mac, "180f"]],
        ["181a", [mac, "181a"]],
      ],
    );
    const found = await browse([mac, "181a"]);
    assert.deepEqual(
      found.map(({ name, visitor, access }) => [name, visitor?.mode, access]),
      [
        ["2a6e", "indicate", "read"],
        ["2a58", "read", "readWrite"],
        ["2a19", "read", "read"],
      ],
    );
    assert.deepEqual(found[1]?.visitor, { mode: "read", service: "181a", characteristic: "2a58" });
    await assert.rejects(browse(["nowhere"]), { code: "mapper/bad-address" });
  });

  test("signals are believed of bluetoothd only", async () => {
    const { told } = await subscribed([toldBattery]);
    const stranger = sessionBus({ busAddress: bus.address });
    await new Promise<void>((resolve) => stranger.once("connect", resolve));
    const names = {
      destination: "org.freedesktop.DBus",
      path: "/org/freedesktop/DBus",
      interface: "org.freedesktop.DBus",
    };
    const reply = await stranger.call(new Message({ ...names, member: "ListNames" }));
    const [properties, characteristic] = ["org.freedesktop.DBus.Properties", "org.bluez.GattCharacteristic1"];
    const forged = { Value: new Variant("ay", Buffer.of(1)) };
    for (const destination of reply!.body[0] as string[]) {
      const signal = Message.newSignal(battery, properties, "PropertiesChanged", "sa{sv}as", [
        characteristic,
        forged,
        [],
      ]);
      // A signal to one, which the bus hands on whatever has been asked for.
      if (destination.startsWith(":")) stranger.send(Object.assign(signal, { destination }));
    }
    await stranger.call(new Message({ ...names, member: "GetId" }));
    await bluez.order({ do: "value", path: battery, bytes: [2] });
    await told.until(() => told.shown().includes(2));
    assert.deepEqual(told.shown(), [87, 2]);
    stranger.disconnect();
  });

  test("however often is subscribed and ended, the bus keeps three rules for us", async () => {
    const rules = async () => (await bluez.order({ do: "rules" })) as number;
    await read(batteryPoint);
    const before = await rules();
    for (let i = 0; i < 20; i++) {
      const { told, end } = await subscribed([toldBattery]);
      await told.until(() => told.shown().length > 0);
      end();
    }
    assert.equal(await rules(), before);
    await opened.connection.close();
    for (let i = 0; i < 100 && (await rules()) !== before - 3; i++) await bluez.log();
    assert.equal(await rules(), before - 3);
  });
});
