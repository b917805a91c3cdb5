import { once } from "node:events";
import { type Message as BusMessage, Message, type MessageBus, sessionBus } from "@jellybrick/dbus-next";
import type { ConformanceDevice, DeviceManner } from "@penstock/mapper-sdk";
import { Bluetoothd, type PlayedDevice } from "./bluetoothd.ts";
import type { PlayedBus } from "./play.ts";

const long = (short: string) => `0000${short}-0000-1000-8000-00805f9b34fb`;

/** 21.5 °C in hundredths, least significant byte first, and a measuring interval to write */
const right = [0x66, 0x08];
const other = [0x11, 0x11];
export const thermometer: PlayedDevice = {
  ...{ mac: "C4:7C:8D:6A:01:02", name: "Thermo", rssi: -58, uuids: [long("181a")] },
  services: {
    [long("181a")]: [
      { uuid: long("2a6e"), flags: ["read", "notify"], value: right },
      { uuid: long("2a21"), flags: ["read", "write"], value: [60, 0] },
    ],
  },
};

const busItself = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus" };

/** bluetoothd with one thermometer, on a real bus: it spoils the answers to reads and writes of characteristics. */
export class SpoiltBluez implements ConformanceDevice<PlayedBus> {
  manner: DeviceManner = "silent";
  questions = 0;
  readonly #place: PlayedBus;
  #bus: Promise<MessageBus> | null = null;
  #late: BusMessage | null = null;
  #waiting: (() => void)[] = [];

  constructor(place: PlayedBus) {
    this.#place = place;
  }

  /** whoever is on the bus besides us */
  get connections(): Promise<number> {
    return this.#names().then((names) => names.length - 1);
  }

  async asked(count: number): Promise<void> {
    while (this.questions < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async listen(): Promise<PlayedBus> {
    this.#bus = this.#join();
    await this.#bus;
    return this.#place;
  }

  async close(): Promise<void> {
    const bus = await this.#bus;
    this.#bus = null;
    if (bus === null) return;
    await bus.releaseName("org.bluez");
    bus.disconnect();
  }

  /** The bus hands on in order: when it has answered us, it has handed on what we said before. */
  async settled(): Promise<void> {
    await this.#names();
  }

  async #join(): Promise<MessageBus> {
    const bus = sessionBus({ busAddress: this.#place.address });
    await once(bus, "connect");
    const bluez = new Bluetoothd(bus);
    bluez.intercept = (message) => this.#spoil(message, bus);
    await bluez.take({ do: "device", device: thermometer });
    await bus.requestName("org.bluez");
    return bus;
  }

  async #names(): Promise<readonly string[]> {
    const bus = await this.#bus;
    if (bus === null) return [""];
    const reply = await bus.call(new Message({ ...busItself, interface: busItself.destination, member: "ListNames" }));
    return (reply!.body[0] as string[]).filter((name) => name.startsWith(":"));
  }

  #spoil(question: BusMessage, bus: MessageBus): boolean {
    const { member } = question;
    if (member !== "ReadValue" && member !== "WriteValue") return false;
    this.questions++;
    for (const resolve of this.#waiting.splice(0)) resolve();
    const answer = (to: BusMessage, signature: string, body: unknown) =>
      bus.send(Message.newMethodReturn(to, signature, [body]));
    switch (this.manner) {
      case "right":
        return false;
      case "silent":
        break;
      case "late":
        if (this.#late === null) {
          this.#late = question;
          break;
        }
        answer(this.#late, "ay", Buffer.from(other));
        return false;
      case "wrong":
        bus.send(strayAnswer(question));
        break;
      case "garbage":
        answer(question, "s", "HTTP/1.1 400 Bad Request");
        break;
      case "half":
        answer(question, "ay", Buffer.from(right.slice(0, -1)));
        break;
      case "ends":
        // It dies in the middle of it, and is started again at once, as systemd does.
        bus.disconnect();
        this.#bus = this.#join();
        break;
      case "refuses":
        bus.send(Message.newError(question, "org.bluez.Error.NotPermitted", "as played"));
        break;
    }
    return true;
  }
}

/** a value, but under the number of a question that was never asked */
function strayAnswer(question: BusMessage): BusMessage {
  const answer = Message.newMethodReturn(question, "ay", [Buffer.from(other)]);
  return Object.assign(answer, { replySerial: question.serial! + 5000 });
}
