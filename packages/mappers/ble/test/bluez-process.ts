import { sessionBus } from "@jellybrick/dbus-next";
import { Bluetoothd, type Order } from "./bluetoothd.ts";

export type * from "./bluetoothd.ts";

/** bluetoothd in a process of its own: started with the bus's address, told what to do by messages. */
const bus = sessionBus({ busAddress: process.argv[2]! });
await new Promise<void>((resolve) => bus.once("connect", resolve));
const played = new Bluetoothd(bus);
await bus.requestName("org.bluez");
process.on("message", async ({ id, order }: { id: number; order: Order }) => {
  process.send?.({ id, answer: (await played.take(order)) ?? null });
});
process.on("disconnect", () => process.exit(0));
process.send?.({ id: 0, answer: null });
