import { PlayedBluez, PlayedBus } from "./play.ts";

const long = (short: string) => `0000${short}-0000-1000-8000-00805f9b34fb`;

/** The thermometer of the guide and of examples/ble, on a bus of its own: 21.5 °C, 87 %, a measuring interval to write. */
export async function playThermometer(): Promise<{ readonly bus: string; close(): Promise<void> }> {
  const bus = await PlayedBus.start();
  const bluez = await PlayedBluez.start(bus.address);
  await bluez.device({
    ...{ mac: "C4:7C:8D:6A:01:02", name: "Thermo", rssi: -58, uuids: [long("181a"), long("180f")] },
    // company 0xffff: two bytes of temperature in hundredths, least significant first
    manufacturer: { 65535: [0x66, 0x08] },
    services: {
      [long("181a")]: [
        { uuid: long("2a6e"), flags: ["read", "notify"], value: [0x66, 0x08] },
        { uuid: long("2a21"), flags: ["read", "write"], value: [60, 0] },
      ],
      [long("180f")]: [{ uuid: long("2a19"), flags: ["read"], value: [87] }],
    },
  });
  return {
    bus: bus.address,
    close: async () => {
      await bluez.close();
      await bus.close();
    },
  };
}
