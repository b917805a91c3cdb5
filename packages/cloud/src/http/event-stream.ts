import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { formatEvent } from "@penstock/api";
import type { Clock, Log } from "@penstock/runtime";

/** Proxies end a stream that is silent for a minute. */
const heartbeatMs = 15_000;
const file = "cloud/src/http/event-stream.ts";

/**
 * Writes events until they end or the reader goes. Waits for a slow reader; what piles up meanwhile is bounded where the
 * events come from.
 *
 * @param stillWelcome  asked at each heartbeat; rejecting ends the stream, so that a login that ended ends its streams
 * @source WHATWG HTML, 9.2 "Server-sent events" (living standard)
 */
export async function writeEvents(options: {
  readonly response: ServerResponse;
  readonly headers: Readonly<Record<string, string>>;
  readonly events: AsyncIterable<{
    readonly event: string;
    readonly data: unknown;
    readonly trace?: readonly string[];
  }>;
  readonly clock: Clock;
  readonly log: Log;
  readonly stop: AbortController;
  readonly stillWelcome: () => Promise<void>;
}): Promise<void> {
  const { response, events, clock, log, stop } = options;
  response.writeHead(200, {
    ...options.headers,
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    // nginx would keep events back to fill its buffer
    "x-accel-buffering": "no",
  });
  response.flushHeaders();
  let cancel = clock.after(heartbeatMs, beat);
  function beat(): void {
    options
      .stillWelcome()
      .then(() => {
        if (stop.signal.aborted) return;
        // Not behind a slow reader: its next event is a sign of life too.
        if (!response.writableNeedDrain) response.write(": still here\n\n");
        cancel = clock.after(heartbeatMs, beat);
      })
      .catch(() => stop.abort());
  }
  try {
    for await (const { event, data, trace } of events) {
      if (stop.signal.aborted) break;
      for (const id of trace ?? []) log.trace({ file, id }, "Written to a live stream");
      if (!response.write(formatEvent(event, data))) await once(response, "drain", { signal: stop.signal });
    }
  } catch (error) {
    // Ends by the reader going away look like errors here and are none.
    if (!stop.signal.aborted) throw error;
  } finally {
    cancel();
    stop.abort();
    response.end();
  }
}
