import type { BytePort, PortHears } from "./byte-port.ts";

/**
 * A port behind an RS-485 adapter whose receiver stays on while it sends: what is written comes back first. It is compared
 * byte by byte and taken away. Where it differs, the frame did not stand on the wire as it was written (two spoke at once,
 * or the adapter has no echo after all): that is told of it and of all that comes until the next write, and none is believed.
 */
export function withoutEcho(port: BytePort): BytePort {
  /** what has been written and not yet come back */
  let awaited: Uint8Array = new Uint8Array(0);
  let why: string | null = null;
  return {
    listen(hears: PortHears) {
      port.listen({
        ended: hears.ended,
        data(chunk) {
          if (why !== null) return hears.spoilt?.(why);
          const count = Math.min(chunk.length, awaited.length);
          for (let at = 0; at < count; at++) {
            if (chunk[at] === awaited[at]) continue;
            const [sent, heard] = [hex(awaited[at]!), hex(chunk[at]!)];
            why = `the adapter's echo differs from what was sent: ${heard} where ${sent} was sent`;
            return hears.spoilt?.(why);
          }
          awaited = awaited.subarray(count);
          if (chunk.length > count) hears.data(chunk.subarray(count));
        },
      });
    },
    write(bytes) {
      // Of an earlier frame nothing comes any more: the line was silent since.
      awaited = Uint8Array.from(bytes);
      why = null;
      port.write(bytes);
    },
    close: () => port.close(),
  };
}

const hex = (byte: number) => byte.toString(16).padStart(2, "0");
