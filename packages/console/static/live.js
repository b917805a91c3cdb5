import { tenantPath } from "./api.js";

const kinds = ["readings", "twin", "alarm", "dropped"];

/**
 * One stream of events per browser: the tab that holds the lock reads it and tells the others. When that tab closes, the
 * lock goes to the next one.
 *
 * `onEvent(kind, data)` for each event, `onState("live" | "lost")` for the stream. Returns what ends it.
 */
export function watch(tenant, { onEvent, onState }) {
  const channel = new BroadcastChannel(`penstock-live ${tenant}`);
  const stop = new AbortController();
  let source = null;
  let release = () => {};
  channel.onmessage = ({ data }) => {
    if (data.kind === "state") onState(data.data);
    else onEvent(data.kind, data.data);
  };
  const tell = (kind, data) => channel.postMessage({ kind, data });

  function read() {
    source = new EventSource(`${tenantPath(tenant)}/live`);
    source.onopen = () => {
      onState("live");
      tell("state", "live");
    };
    // The browser connects again by itself; a login that ended is seen by the next request of the page.
    source.onerror = () => {
      onState("lost");
      tell("state", "lost");
    };
    for (const kind of kinds) {
      source.addEventListener(kind, ({ data }) => {
        const parsed = JSON.parse(data);
        onEvent(kind, parsed);
        tell(kind, parsed);
      });
    }
  }

  if (navigator.locks === undefined) read();
  else {
    navigator.locks
      .request(`penstock-live ${tenant}`, { signal: stop.signal }, () => {
        read();
        return new Promise((resolve) => {
          release = resolve;
        });
      })
      .catch(() => {
        // Called off while waiting for the lock: another tab reads.
      });
    // A tab that waits for the lock gets what the reading tab passes on.
    onState("live");
  }
  return () => {
    stop.abort();
    source?.close();
    release();
    channel.close();
  };
}
