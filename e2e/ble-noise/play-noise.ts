import { createServer, type Server } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { AppError, codeOf, defaultLine, type ErrorCode, errors } from "@penstock/model";
import { SimRandom } from "@penstock/testkit";
import type { Behaviour, Order } from "../../packages/mappers/ble/test/bluez-process.ts";
import { type OpenedBle, openBle, PlayedBluez, PlayedBus, point } from "../../packages/mappers/ble/test/play.ts";

const long = (short: string) => `0000${short}-0000-1000-8000-00805f9b34fb`;
const macs = ["AA:BB:CC:DD:EE:01", "AA:BB:CC:DD:EE:02", "AA:BB:CC:DD:EE:03"];
const characteristics = 4;
const line = { ...defaultLine, timeoutMs: 150, connectTimeoutMs: 1000, backOffFirstMs: 10, backOffLongestMs: 50 };
/** Longer than any read takes: then a caller hangs. */
const hungMs = 10_000;
/** Runs shorter than this are for the other checks; memory settles later. */
const rssAfterMs = 10_000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
function rssMb(): number {
  // What has been let go of is not leaked, whether or not it has been collected yet.
  collectGarbage();
  return process.memoryUsage.rss() / 2 ** 20;
}

/** A value says whose it is: device, characteristic, and their sum, so that nobody else's can be taken for it. */
const bytesFor = (device: number, one: number) => [device + 1, one + 1, device + one + 2];
const valueFor = (device: number, one: number) => Buffer.from(bytesFor(device, one)).readUIntBE(0, 3);

/** Reads, writes and subscribes while bluetoothd makes noise, then looks whether all is well when it is quiet. */
export async function playNoise({ seconds, seed }: { readonly seconds: number; readonly seed: number }) {
  const random = new SimRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random.number() * from.length)]!;
  const bus = await PlayedBus.start();
  const bluez = await PlayedBluez.start(bus.address);
  const garbage = await garbageBus(() => random.number());
  const said = { reads: 0, good: 0, news: 0, opened: 0, garbageOpens: 0, bad: {} as Record<string, number> };
  const findings: string[] = [];
  for (const [device, mac] of macs.entries()) {
    const list = Array.from({ length: characteristics }, (_, one) => ({
      ...{ uuid: long(`2a0${one}`), flags: ["read", "notify", "write"], value: bytesFor(device, one) },
    }));
    await bluez.device({ mac, rssi: -50 - device, services: { [long("180f")]: list } });
  }
  const points = macs.flatMap((mac) =>
    Array.from({ length: characteristics }, (_, one) =>
      point({ mac }, { mode: "notify", characteristic: `2a0${one}` }, "uint32"),
    ),
  );
  const judge = (row: number, value: unknown, reason: ErrorCode | undefined) => {
    const right = valueFor(Math.floor(row / characteristics), row % characteristics);
    if (value === right) said.good++;
    else if (value !== null) findings.push(`row ${row} gave ${value}, not ${right}`);
    else if (reason === undefined || !(reason in errors))
      findings.push(`row ${row} is bad without a reason: ${reason}`);
    else said.bad[reason] = (said.bad[reason] ?? 0) + 1;
  };
  let opened: OpenedBle | null = null;
  let ending = new AbortController();
  const open = async () => {
    const made = await openBle(bus.address, { scanSeconds: 1, connectSeconds: 1 }, { line });
    said.opened++;
    ending = new AbortController();
    const each = (row: number, result: { value: unknown; reason?: ErrorCode }) => {
      said.news++;
      judge(row, result.value, result.reason);
    };
    const subscribing = made.connection.subscribe(points, {
      each,
      ended: ending.signal,
      signal: AbortSignal.timeout(hungMs),
    });
    subscribing.catch((error: unknown) => judge(0, null, codeOf(error)));
    return made;
  };
  const round = async () => {
    try {
      opened ??= await open();
      said.reads++;
      const started = performance.now();
      const results = await opened.connection.read(points, { signal: AbortSignal.timeout(hungMs) });
      if (performance.now() - started >= hungMs) findings.push("a read hung");
      for (const [row, { value, reason }] of results.entries()) judge(row, value, reason);
    } catch (error) {
      if (!(error instanceof AppError)) findings.push(`a call threw ${String(error)}`);
      else said.bad[error.code] = (said.bad[error.code] ?? 0) + 1;
    }
    if (opened !== null && (opened as OpenedBle).lost.length > 0) {
      ending.abort();
      await (opened as OpenedBle).connection.close();
      opened = null;
    }
  };
  const began = performance.now();
  let rssEarly = 0;
  while (performance.now() - began < seconds * 1000) {
    await bluez.behave(...Array.from({ length: 3 }, () => behaviour(pick)));
    for (let i = 0; i < 3; i++) await bluez.order(disturbance(pick, random.number()));
    await Promise.race([round(), new Promise((done) => setTimeout(done, hungMs).unref())]);
    if (said.reads % 5 === 0) {
      said.garbageOpens++;
      await openBle(garbage.address, {}, { line }).then(
        ({ connection }) => connection.close(),
        (error: unknown) => {
          if (!(error instanceof AppError)) findings.push(`opening threw ${String(error)}`);
        },
      );
    }
    if (rssEarly === 0 && performance.now() - began > rssAfterMs) rssEarly = rssMb();
    if (findings.length > 20) break;
  }
  const rssEnd = rssMb();
  if (rssEarly > 0 && rssEnd > rssEarly * 1.1)
    findings.push(`memory grew from ${rssEarly.toFixed(1)} to ${rssEnd.toFixed(1)} MB`);
  if (said.good === 0) findings.push("not one value was good");
  if (Object.keys(said.bad).length === 0) findings.push("not one value was bad: there was no noise");
  await bluez.behave();
  let isWell = false;
  for (let i = 0; i < 100 && !isWell; i++) {
    const before = said.good;
    await round();
    isWell = said.good - before >= points.length;
  }
  if (!isWell) findings.push("it did not recover when all was quiet");
  ending.abort();
  await (opened as OpenedBle | null)?.connection.close();
  await bluez.close();
  await bus.close();
  garbage.server.close();
  return { ...said, rssEarlyMb: Math.round(rssEarly), rssEndMb: Math.round(rssEnd), findings };
}

const path = (pick: <T>(from: readonly T[]) => T) => {
  const device = `/org/bluez/hci0/dev_${pick(macs).replaceAll(":", "_")}`;
  return `${device}/service0000/char000${pick([0, 1, 2, 3])}`;
};

function behaviour(pick: <T>(from: readonly T[]) => T): Behaviour {
  const member = pick([
    "ReadValue",
    "ReadValue",
    "StartNotify",
    "Connect",
    "GetManagedObjects",
    "StopNotify",
    "StartDiscovery",
  ]);
  return {
    ...{ member, times: pick([1, 2, 3]) },
    ...pick<Partial<Behaviour>>([
      { silent: true },
      { delayMs: pick([10, 160, 300]) },
      {
        error: pick([
          "org.bluez.Error.Failed",
          "org.bluez.Error.InProgress",
          "org.bluez.Error.NotConnected",
          "made.up.Error",
        ]),
      },
      { raw: { signature: "s", body: ["no bytes"] } },
      { raw: { signature: "", body: [] } },
      { raw: { signature: "a{sv}", body: [{ Value: { $variant: ["s", "x"] } }] } },
      { raw: { signature: "a{oa{sa{sv}}}", body: [{ "/a": { "org.bluez.Adapter1": {} } }] } },
      { raw: { signature: "au", body: [[1, 2, 3]] } },
    ]),
  };
}

function disturbance(pick: <T>(from: readonly T[]) => T, chance: number): Order {
  const properties = "org.freedesktop.DBus.Properties";
  const manager = "org.freedesktop.DBus.ObjectManager";
  const characteristic = "org.bluez.GattCharacteristic1";
  if (chance < 0.03) return { do: "restart" };
  if (chance < 0.15) return { do: "drop", mac: pick(macs) };
  return pick<Order>([
    ...[
      ["s", [characteristic]],
      ["sa{sv}as", [characteristic, { Value: { $variant: ["s", "no bytes"] } }, []]],
      ["sa{sv}as", ["org.bluez.Device1", { Connected: { $variant: ["s", "perhaps"] } }, ["Name"]]],
      ["u", [7]],
      ["as", [["a", "b"]]],
    ].map(([signature, body]) => ({
      ...{ do: "signal" as const, path: path(pick), interface: properties, member: "PropertiesChanged" },
      ...{ signature: signature as string, body: body as unknown[] },
    })),
    {
      do: "signal",
      path: "/",
      interface: manager,
      member: "InterfacesAdded",
      signature: "oas",
      body: ["/x", ["org.bluez.Device1"]],
    },
    {
      do: "signal",
      path: "/",
      interface: manager,
      member: "InterfacesRemoved",
      signature: "s",
      body: ["/org/bluez/hci0"],
    },
    { do: "signal", path: "/", interface: manager, member: "InterfacesRemoved", signature: "os", body: ["/", "x"] },
  ]);
}

/** A bus that greets and then answers everything with random bytes. */
async function garbageBus(random: () => number): Promise<{ readonly address: string; readonly server: Server }> {
  const server = createServer((socket) => {
    let asked = 0;
    socket.on("error", () => {});
    socket.on("data", () => {
      const length = Math.floor(random() * 200);
      const bytes = Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
      // Some begin as a message does, so that not all end at the first byte.
      if (random() < 0.7) Buffer.from("l\x04\x00\x01\x20\0\0\0\x01\0\0\0\x20\0\0\0").copy(bytes);
      socket.write(asked++ === 0 && random() < 0.9 ? "OK 00\r\n" : bytes);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  return { address: `tcp:host=127.0.0.1,port=${port}`, server };
}
