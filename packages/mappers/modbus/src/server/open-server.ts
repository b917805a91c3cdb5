import type { OpenContext } from "@penstock/mapper-sdk";
import type { LinePlace } from "../open-line.ts";
import { answerRequest } from "./answer.ts";
import type { ServerSettings } from "./fields.ts";
import { Images } from "./images.ts";
import { listenSerial } from "./serial-listener.ts";
import { ServerConnection } from "./server-connection.ts";
import { listenTcp } from "./tcp-listener.ts";
import { type Units, unitsOf } from "./units.ts";

/** 256 places each: 2.1 million registers and bits, 21 MB when all are written */
const mostPages = 8192;

/** @throws AppError mapper/connect-failed when nothing can be heard there; aborted */
export async function openServer(
  place: LinePlace,
  settings: ServerSettings,
  context: OpenContext,
): Promise<ServerConnection> {
  const { clock, log, signal } = context;
  const isBus = place.transport !== "tcp";
  const images = new Images(mostPages);
  const units = unitsOf(settings.units ?? [], isBus);
  const answer = answerer({ images, units, isBus, unwritten: settings.unwritten, clock });
  const listener =
    "serial" in place
      ? await listenSerial({
          serial: place.serial,
          framing: place.transport === "ascii" ? "ascii" : "rtu",
          answer,
          context,
        })
      : await listenTcp({ ...place, ...settings, framing: isBus ? "rtu" : "tcp", answer, clock, log, signal });
  log.info({ listening: listener.name }, "Masters may come");
  return new ServerConnection({ images, units, listener, clock, staleAfterMs: settings.staleAfterMs ?? null });
}

/** @returns what to answer to a request; null when nobody here has that unit id */
function answerer(of: {
  readonly images: Images;
  readonly units: Units;
  readonly isBus: boolean;
  readonly unwritten: "refuse" | "zero";
  readonly clock: OpenContext["clock"];
}): (unit: number, pdu: Uint8Array) => Uint8Array | null {
  const { images, units, isBus, unwritten, clock } = of;
  return (unit, pdu) => {
    const options = { at: clock.monotonic(), unwritten };
    if (isBus && unit === 0) {
      // Modbus over Serial Line V1.02, 2.1: a broadcast is for all units, and none of them answers.
      for (const each of units.all()) answerRequest(images, { unit: each, pdu }, options);
      return null;
    }
    if (units.answers(unit)) return answerRequest(images, { unit, pdu }, options);
    // 11: what a gateway says of a unit that is not behind it; on a bus somebody else may answer.
    return isBus ? null : Uint8Array.of(pdu[0]! | 0x80, 11);
  };
}
