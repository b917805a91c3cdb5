import { type BootId, type DeviceUid, hexId, type Outbox, type ReadingBatch } from "@penstock/model";
import { metricsRegistry, secretBox, sleep } from "@penstock/runtime";
import type { SimProcess } from "@penstock/testkit";
import { createBus } from "../../packages/edge/src/bus/bus.ts";
import { gatewayClock } from "../../packages/edge/src/gateway-clock.ts";
import { createLink } from "../../packages/edge/src/link/link.ts";
import { openOutbox } from "../../packages/edge/src/outbox/outbox.ts";
import { outboxConsumer } from "../../packages/edge/src/outbox/outbox-consumer.ts";
import { openResources } from "../../packages/edge/src/resources/resources.ts";
import { keepFloor, readFloor } from "../../packages/edge/src/trusted-floor.ts";
import { openTwin, type Twin } from "../../packages/edge/src/twin/twin.ts";
import type { Site } from "./site.ts";
import type { World } from "./world.ts";

export interface RunningGateway {
  readonly outbox: Outbox;
  readonly twin: Twin;
  close(): Promise<void>;
}

const folder = "/data";
/** Its numbers are not drawn from the site's: a seed runs the same course whether secrets are sealed or not. */
const secrets = secretBox([new Uint8Array(32)], { bytes: (length) => new Uint8Array(length), number: () => 0 });

/** The gateway as main.ts wires it, with a poller for collect and its mappers, and the simulated machines behind that. */
export async function startGateway(world: World, site: Site, process: SimProcess): Promise<RunningGateway> {
  const { ledger } = world;
  const { files } = site.disk;
  const { log } = site.log;
  const random = site.random;
  const metrics = metricsRegistry();
  const boot = hexId<BootId>(random.bytes(16));
  await files.makeFolder(folder);
  const floorPath = `${folder}/time`;
  const system = site.clock.forProcess(process, { floor: await readFloor(files, floorPath) });
  const clock = gatewayClock({ system, boot });
  site.clockRead({ isTrusted: clock.isTrusted() });
  const floor = keepFloor({ files, path: floorPath, clock, isTrusted: clock.isTrusted, log });

  const resources = await openResources({ files, folder: `${folder}/resources`, secrets, log });
  const lookup = (uid: DeviceUid) => resources.current()?.devices.find((device) => device.uid === uid) ?? null;
  const bus = createBus({ log, metrics });
  const access = site.plant.accessFor(process);
  const outbox = await openOutbox({
    ...{ files, folder: `${folder}/outbox`, clock, random, log, metrics, ...site.outbox },
    cursors: ["link", "twin"],
    onAccepted: ({ epoch, firstSeq, batch }) => site.reported.accepted(ledger.accept(batch, { epoch, firstSeq })),
  });

  const refusedByDisk = metrics.counter("penstock_twin_checkpoints_failed_total", "Checkpoints that the disk refused");
  let refusals = 0;
  const { checkpointEveryMs } = site;
  const twin = await openTwin({
    ...{ files, folder: `${folder}/twin`, clock, log, metrics, access, lookup, checkpointEveryMs },
    machine: { boot: String(site.clock.boot), isTimeTrusted: clock.isTrusted() },
    accepted: {
      position: () => ({ epoch: outbox.bounds().epoch, seq: outbox.bounds().highest }),
      read: (from, maxBytes) => outbox.readFor("twin", from, maxBytes),
      pass: (seq) => {
        if (refusedByDisk.value > refusals) site.reported.excuse(seq);
        else site.reported.saved(seq);
        refusals = refusedByDisk.value;
        outbox.pass("twin", [[1, seq]]);
      },
    },
  });
  site.twinOpened({ twin, outbox });
  bus.subscribe(twin.consumer);

  const open = site.open;
  const watched: Outbox = {
    ...outbox,
    async append(batch) {
      try {
        return await outbox.append(batch);
      } catch (error) {
        ledger.refuse(batch);
        throw error;
      } finally {
        open.delete(batch);
      }
    },
  };
  const feed = outboxConsumer({ outbox: watched, reports: null, log });
  bus.subscribe(feed);

  const link = createLink({
    outbox,
    control: {
      ...twin,
      assignedVersion: () => resources.current()?.version ?? 0,
      applyAssigned: (set) => resources.apply(set),
    },
    mappers: { list: () => [], manifest: () => null, onChange: () => () => {} },
    browse: async () => [],
    ...{ clock, random, log, metrics, boot, agentVersion: "0.1.0" },
    report: () => ({
      agentVersion: "0.1.0",
      mappers: [],
      devices: [],
      cycles: [],
      lines: [],
      outbox: outbox.stats(),
      counters: {},
    }),
    dial: () => world.network.connect("cloud", { process }),
    timeTrusted: clock.isTrusted,
    onTime: (time) => clock.learn(time),
    certificate: () => null,
    onCertificate: () => Promise.resolve(),
  });

  let isStopping = false;
  async function poll(device: DeviceUid): Promise<void> {
    while (!isStopping) {
      await sleep(clock, site.everyMs * (0.5 + random.number()));
      await new Promise<void>((resolve) => process.later(random.number() * 3, "poll answered", resolve));
      if (isStopping || !site.isProducing) continue;
      const monotonic = clock.monotonic();
      const batch: ReadingBatch = site.plant.read(device, { ...clock.wallOf(monotonic), monotonic });
      ledger.produced(site.name, batch);
      site.noteReported(batch);
      open.add(batch);
      await bus.publish(batch);
    }
  }
  let isPolling = false;
  const apply = () => {
    twin.devicesChanged();
    if (isPolling) return;
    isPolling = true;
    for (const { uid } of resources.current()?.devices ?? []) process.run(() => poll(uid));
  };
  resources.onChange(apply);
  if (resources.current() !== null) apply();
  let closed: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    isStopping = true;
    await link.close();
    await feed.idle();
    await twin.close();
    await outbox.close();
    await resources.close();
    await floor.close();
  };
  return {
    outbox,
    twin,
    // Two faults may stop it one after the other; as in the product, the second finds the first at work.
    close: () => {
      closed ??= stop();
      return closed;
    },
  };
}
