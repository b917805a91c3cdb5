import { metricsRegistry } from "@penstock/runtime";
import type { SimProcess } from "@penstock/testkit";
import { createIngest } from "../../packages/cloud/src/ingest/create-ingest.ts";
import { createLinkServer, type LinkServer } from "../../packages/cloud/src/link/link-server.ts";
import { createLastValues } from "../../packages/cloud/src/services/last-values.ts";
import type { CloudDesk } from "./desired-table.ts";
import { node, tenant } from "./plant.ts";
import type { World } from "./world.ts";

export interface RunningCloud {
  readonly desk: CloudDesk;
  readonly lastValues: ReturnType<typeof createLastValues>;
}

/** The cloud as main.ts wires it: link ─▶ ingest ─▶ store ─▶ services; the store and the desired values are simulated. */
export function startCloud(world: World, process: SimProcess): RunningCloud {
  const { log } = world.cloudLog;
  const metrics = metricsRegistry();
  const clock = world.cloudClock.forProcess(process, { floor: 0 });
  const { store } = world.series;
  let link: LinkServer | null = null;
  const nudger = {
    assignedChanged() {},
    alarmActsChanged() {},
    browse: async () => [],
    callsChanged: (node: Parameters<LinkServer["callsChanged"]>[0]) => link?.callsChanged(node),
    desiredChanged: (node: Parameters<LinkServer["desiredChanged"]>[0]) => link?.desiredChanged(node),
    disconnect() {},
    isConnected: () => true,
  };
  const truth = () => world.scheduler.clock.monotonic();
  const desk = world.desired.open({ process, clock, nudger, truth });
  const lastValues = createLastValues(store);
  const ingest = createIngest({
    ...{ store, log, metrics },
    wasAssigned: desk.control.wasAssigned,
    onCommitted: (committed) => lastValues.take(committed),
  });
  link = createLinkServer({ ingest, control: desk.control, clock, log, metrics });
  const accept = link.accept;
  const peer = { tenant, node, fingerprint: "f".repeat(64), remote: "192.0.2.1:1" };
  world.network.listen("cloud", { process, accept: (transport) => accept(transport, peer) });
  return { desk, lastValues };
}
