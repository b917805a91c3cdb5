import type { DriverLog, DriverLogFields } from "@penstock/mapper-sdk";
import type { Json } from "@penstock/model";
import type { Clock } from "@penstock/runtime";
import type { JsonObject, MapperToAgent } from "@penstock/wire";

/** A driver that logs in a loop must not fill the pipe that values go through. */
const maxPerSecond = 50;

/** Hands a driver's lines to the agent: at most 50 a second, the rest dropped and counted in the next line. */
export function driverLog(options: { clock: Clock; send: (message: MapperToAgent) => void }): DriverLog {
  const { clock, send } = options;
  let windowStart = clock.monotonic();
  let inWindow = 0;
  let dropped = 0;
  const write = (level: "debug" | "info" | "warn" | "error", fields: DriverLogFields, message: string) => {
    const now = clock.monotonic();
    if (now - windowStart >= 1_000_000) {
      windowStart = now;
      inWindow = 0;
    }
    if (inWindow >= maxPerSecond) {
      dropped++;
      return;
    }
    inWindow++;
    const more = dropped === 0 ? {} : { linesDropped: dropped };
    dropped = 0;
    send({ t: "log", level, message: message.slice(0, 1000), fields: { ...plain(fields), ...more } });
  };
  return {
    debug: (fields, message) => write("debug", fields, message),
    info: (fields, message) => write("info", fields, message),
    warn: (fields, message) => write("warn", fields, message),
    error: (fields, message) => write("error", fields, message),
  };
}

function plain(fields: DriverLogFields): JsonObject {
  const entries = Object.entries(fields).slice(0, 32);
  return Object.fromEntries(entries.map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: unknown): Json {
  if (value === null || typeof value === "boolean" || typeof value === "number") return value;
  return (value instanceof Error ? value.message : String(value)).slice(0, 1000);
}
