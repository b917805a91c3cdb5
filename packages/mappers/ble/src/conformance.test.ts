import { join } from "node:path";
import { after } from "node:test";
import { conformance } from "@penstock/mapper-sdk";
import { needs } from "@penstock/testkit";
import { PlayedBus } from "../test/play.ts";
import { SpoiltBluez, thermometer } from "../test/spoilt-bluez.ts";
import { ble } from "./index.ts";

const { skip } = needs("dbus");
const bus = skip === undefined ? await PlayedBus.start() : null;
after(() => bus?.close());

await conformance(ble, {
  folder: join(import.meta.dirname, ".."),
  connection: ({ address }) => ({ bus: address }),
  address: { mac: thermometer.mac },
  point: {
    type: "float64",
    visitor: { characteristic: "2a6e", start: 1, end: 0, raw: "signed", operations: ["divide 100"] },
    value: 21.5,
  },
  writable: { type: "uint16", visitor: { characteristic: "2a21", start: 1, end: 0 }, value: 60, unfit: 70_000 },
  refusal: { code: "mapper/value-refused" },
  device: () => new SpoiltBluez(bus!), // without a bus nothing is played
  ...(skip !== undefined && { skip }),
});
