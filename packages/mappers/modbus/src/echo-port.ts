import type { BytePort, PortHears } from "./byte-port.ts";

/**
 * A port behind an RS-485 adapter whose receiver stays on while it sends: what is written comes back first. It is compared
 * byte by byte and taken away. Where it differs, the frame did not stand on the wire as it was written (two spoke at once,
 * or the adapter has no echo after all): that is told once, and nothing is believed until the next write.
 */
export function withoutEcho(port: BytePort): BytePort {
  /** what has been written and not yet come back */
  let awaited: Uint8Array = new Uint8Array(0);
  let isSpoilt = false;
  return {
    listen(hears: PortHears) {
      port.listen({
        ended: hears.ended,
        data(chunk) {
          if (isSpoilt) return;
          const count = Math.min(chunk.length, awaited.length);
          for (let at = 0; at < count; at++) {
            if (chunk[at] === awaited[at]) continue;
            isSpoilt = true;
            const [sent, heard] = [hex(awaited[at]!), hex(chunk[at]!)];
            hears.spoilt?.(`the adapter's echo differs from what was sent: ${heard} where ${sent} was sent`);
            return;
          }
          awaited = awaited.subarray(count);
          if (chunk.length > count) hears.data(chunk.subarray(count));
        },
      });
    },
    write(bytes) {
      // Of an earlier frame nothing comes any more: the line was silent since.
      awaited = Uint8Array.from(bytes);
      isSpoilt = false;
      port.write(bytes);
    },
    close: () => port.close(),
  };
}

const hex = (byte: number) => byte.toString(16).padStart(2, "0");
