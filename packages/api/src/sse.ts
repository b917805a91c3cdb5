/** One server-sent event. */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | null;
}

/** Largest event that is put together before the stream is given up as broken; 8 MiB of text. */
const eventCharsMax = 8 * 1024 * 1024;

/**
 * Cuts a stream of bytes into server-sent events. Comments (heartbeats) are left out.
 *
 * @throws RangeError when one event is larger than 8 MiB
 * @source WHATWG HTML, 9.2.6 "Interpreting an event stream" (living standard)
 */
export async function* readEvents(stream: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let rest = "";
  let event = "message";
  let id: string | null = null;
  let data: string[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      // A "\r" at the very end may be half of "\r\n": it waits for the next bytes.
      const usable = rest.endsWith("\r") ? rest.slice(0, -1) : rest;
      const lines = usable.split(/\r\n|\n|\r/);
      rest = lines.pop()! + rest.slice(usable.length);
      if (rest.length + size > eventCharsMax) throw new RangeError("A server-sent event is larger than 8 MiB");
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) yield { event, data: data.join("\n"), id };
          event = "message";
          data = [];
          size = 0;
          continue;
        }
        const colon = line.indexOf(":");
        if (colon === 0) continue;
        const field = colon < 0 ? line : line.slice(0, colon);
        const text = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
        if (field === "event") event = text;
        else if (field === "id") id = text;
        else if (field === "data") {
          data.push(text);
          size += text.length;
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The text of one event, ready to be written. */
export function formatEvent(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
