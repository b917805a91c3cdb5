import { dial, type OpenContext, type Settings } from "@penstock/mapper-sdk";
import { AppError, codeOf } from "@penstock/model";
import type { connectionFields } from "./connection-fields.ts";
import { S7Line } from "./s7-line.ts";

/** @throws AppError mapper/connect-failed; aborted when the context's signal is */
export async function openLine(
  settings: Settings<typeof connectionFields>,
  context: Pick<OpenContext, "clock" | "log" | "line" | "signal">,
  onEnd: (error: AppError) => void,
): Promise<S7Line> {
  const { host, port, pduSize } = settings;
  const { clock, log, line, signal } = context;
  const name = `${host}:${port}`;
  const socket = await dial({ host, port, timeoutMs: line.connectTimeoutMs, clock, signal });
  let isOpen = false;
  const opened = new S7Line(socket, { name, clock, log, line }, (error) => {
    // Whoever closes it knows; only an end by itself is a loss.
    if (isOpen && error.code !== "aborted") onEnd(error);
  });
  const onAbort = () => opened.close();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    await opened.agree({ local: tsapOf(settings.localTsap), remote: remoteTsap(settings), pduSize });
    isOpen = true;
    return opened;
  } catch (cause) {
    opened.close();
    if (codeOf(cause) === "aborted") throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const hint = "check rack and slot, and that the PLC allows PUT/GET communication";
    throw new AppError("mapper/connect-failed", `Cannot speak S7 with "${name}": ${why}; ${hint}`, { cause });
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

const kinds = { pg: 1, op: 2, basic: 3 } as const;

/** The kind of connection, then rack and slot: three and five bits. */
function remoteTsap({ remoteTsap, connectionType, rack, slot }: Settings<typeof connectionFields>): number {
  return remoteTsap === undefined ? (kinds[connectionType] << 8) | (rack << 5) | slot : tsapOf(remoteTsap);
}

/** @param text two bytes in hexadecimal, "03.01" */
function tsapOf(text: string): number {
  return Number.parseInt(text.replace(".", ""), 16);
}
