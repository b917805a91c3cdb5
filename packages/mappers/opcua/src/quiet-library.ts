import type { DriverLog } from "@penstock/mapper-sdk";
import { setDebugLogger, setErrorLogger, setWarningLogger } from "node-opcua-client";

/** The library writes to the console, whole certificates at times; what it says goes to the log, at debug. */
export function quietLibrary(log: DriverLog): void {
  const tell = (...words: unknown[]) => log.debug({ library: "node-opcua" }, words.map(String).join(" ").slice(0, 400));
  setDebugLogger(tell);
  setWarningLogger(tell);
  setErrorLogger(tell);
}
