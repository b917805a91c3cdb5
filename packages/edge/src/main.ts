import { hostname } from "node:os";
import {
  AppError,
  type BootId,
  type DeviceUid,
  type EdgeControl,
  type EffectiveDevice,
  hexId,
  type MqttBroker,
  type OwnMappers,
} from "@penstock/model";
import {
  hostFunctions,
  type LogLevel,
  machineBoot,
  metricsRegistry,
  openDataFolder,
  openSecrets,
  openWitness,
  pinoLog,
  realFiles,
  startError,
  syncWitness,
  systemChildProcesses,
  systemClock,
  systemRandom,
  workerFile,
} from "@penstock/runtime";
import { createBus } from "./bus/bus.ts";
import { openBypass } from "./bypass/bypass.ts";
import { createCollect } from "./collect/collect.ts";
import { openDmi } from "./collect/dmi/dmi.ts";
import { openMapperFolders } from "./collect/mapper-folders.ts";
import { gatewayClock } from "./gateway-clock.ts";
import { dialTls } from "./link/dial-tls.ts";
import { openIdentity } from "./link/identity.ts";
import { cloudAddress, join as joinWith } from "./link/join.ts";
import { createLink } from "./link/link.ts";
import { openLocalApi } from "./local-api/local-api.ts";
import { nodeCounters } from "./node-counters.ts";
import { openOutbox } from "./outbox/outbox.ts";
import { outboxConsumer } from "./outbox/outbox-consumer.ts";
import { reportFilter } from "./outbox/report-filter.ts";
import { openResources } from "./resources/resources.ts";
import { openAlarms } from "./rules/alarms/alarms.ts";
import type { EkuiperRulesOptions } from "./rules/ekuiper/ekuiper-rules.ts";
import { type EkuiperSettings, openEkuiper } from "./rules/ekuiper/gateway-ekuiper.ts";
import type { RulesOptions } from "./rules/rules.ts";
import { RulesThread } from "./rules/thread/rules-thread.ts";
import { keepFloor, readFloor } from "./trusted-floor.ts";
import { openTwin } from "./twin/twin.ts";
import { version } from "./version.ts";
import { witnessLine } from "./witness-line.ts";

export interface EdgeOptions {
  readonly dataDir: string;
  /** "https://HOST:PORT" where the cloud is now; null = where it was when the gateway joined */
  readonly cloud: string | null;
  /** of the embedded broker; or another program's, whatever the node's settings say */
  readonly mqtt: { readonly host: string; readonly port: number; readonly broker?: MqttBroker | null };
  /** on loopback; 0 = any free port */
  readonly localApi: { readonly port: number };
  readonly mapperFolders: readonly string[];
  /** path of mapper-host's program */
  readonly mapperHost: string;
  /** path of the socket for mappers that speak KubeEdge's DMI; null = none */
  readonly dmiSocket: string | null;
  /** left out: no REST shape of eKuiper's, and our own rules engine */
  readonly ekuiper?: EkuiperSettings;
  readonly outbox: { readonly bytes: number; readonly ageMs: number; readonly policy: "drop-oldest" | "refuse" };
  /** fault runs: every accepted reading, and every synced length */
  readonly witnessPath: string | null;
  readonly syncWitnessPath: string | null;
  readonly logLevel: LogLevel;
}
export interface RunningEdge {
  /** the node's name */
  readonly node: string;
  /** "mqtt://127.0.0.1:1883" */
  readonly mqttAddress: string;
  /** "http://127.0.0.1:49153"; the token is in `local-api/token` of the data folder */
  readonly localAddress: string;
  /** of eKuiper's REST shape; null where it is not asked for */
  readonly ekuiperAddress: string | null;
  close(): Promise<void>;
}

/** Format of the gateway's data folder. */
const dataVersion = 1;

/**
 * The gateway agent.
 *
 *   mapper ─▶ collect ─▶ bus ─┬─▶ twin (reported)
 *                         ▲   ├─▶ rules ─┬─▶ bypass ─▶ MQTT
 *                         │   │          ├─▶ twin (desired, calls)
 *                         └───┼──────────┘ calculated readings
 *                             ├─▶ bypass ─▶ MQTT
 *                             └─▶ outbox ─▶ link ═════▶ cloud
 *   mapper ◀─ collect ◀─ twin (desired) ◀┬─ local-api ◀─ people and programs at the gateway
 *      collect, rules ◀─ resources ◀─────┴─ link ◀═════ cloud
 *
 * @throws AppError data/…, port/in-use, outbox/corrupt, join/token-invalid when it has not joined
 */
export async function startEdge(options: EdgeOptions): Promise<RunningEdge> {
  const { dataDir: folder } = options;
  const log = pinoLog({ level: options.logLevel, program: "edge" });
  const metrics = metricsRegistry();
  const syncs = options.syncWitnessPath === null ? null : openWitness(options.syncWitnessPath);
  const files = realFiles(syncs === null ? {} : { witness: syncWitness(syncs) });
  const random = systemRandom;
  const boot = hexId<BootId>(random.bytes(16));
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const data = await openDataFolder({ files, path: folder, version: dataVersion, program: "edge" });
    closers.push(() => data.close());
    const joined = await openIdentity({ files, folder });
    if (joined === null) {
      throw new AppError(
        "join/token-invalid",
        `The gateway in "${folder}" has not joined a cloud: run penstock edge join --cloud https://HOST:PORT --token TOKEN --data-dir ${folder}`,
      );
    }
    const cloud = options.cloud === null ? joined.identity.cloud : cloudAddress(options.cloud);
    const floorPath = `${folder}/time`;
    const clockFloor = await readFloor(files, floorPath);
    const clock = gatewayClock({ system: systemClock({ floor: clockFloor }), boot });
    const floor = keepFloor({ files, path: floorPath, clock, isTrusted: clock.isTrusted, log });
    closers.push(() => floor.close());
    if (!clock.isTrusted())
      log.warn(
        { stage: "clock" },
        "The machine's clock is not set; readings are uncertain until the cloud tells the time",
      );

    const secrets = await openSecrets({ files, folder, credentials: process.env.CREDENTIALS_DIRECTORY, random });
    const resources = await openResources({ files, folder: `${folder}/resources`, secrets: secrets.box, log });
    closers.push(() => resources.close());
    const ekuiper = await openEkuiper({
      ...{ port: null, url: null, ...options.ekuiper, folder: `${folder}/ekuiper`, secrets: secrets.box },
      ...{ files, clock, random, log, metrics },
    });
    // Opening them has written all of it anew.
    await secrets.onlyFirstKey();
    let devices = new Map<DeviceUid, EffectiveDevice>();
    const indexDevices = () => {
      devices = new Map(resources.current()?.devices.map((device) => [device.uid, device]));
    };
    indexDevices();
    const lookup = (device: DeviceUid) => devices.get(device) ?? null;

    const bus = createBus({ log, metrics });
    const mappers = await openMapperFolders({ folders: options.mapperFolders, files, clock, log });
    closers.push(() => mappers.close());
    const dmi =
      options.dmiSocket === null
        ? null
        : await openDmi({
            ...{ socket: options.dmiSocket, folder: `${folder}/dmi`, files, clock, log, metrics },
            isInstalled: (protocol) => mappers.list().some(({ name }) => name === protocol),
          });
    if (dmi !== null) closers.push(() => dmi.close());

    const collect = createCollect({
      ...{ bus, clock, files, processes: systemChildProcesses, log, metrics, wallOf: clock.wallOf },
      mapperFolders: options.mapperFolders,
      mapperData: `${folder}/mappers`,
      hostCommand: { command: process.execPath, args: [...mapperFlags, options.mapperHost] },
      ...(dmi !== null && { dmi }),
    });
    mappers.onChange((names) => collect.mappersChanged(names));

    const witness = options.witnessPath === null ? null : openWitness(options.witnessPath);
    // Before the twin, which rebuilds reported values from it, and closed after the twin's last checkpoint.
    const outbox = await openOutbox({
      ...{ files, folder: `${folder}/outbox`, clock, random, log, metrics },
      bounds: options.outbox,
      policy: options.outbox.policy,
      cursors: ["link", "twin"],
      ...(witness !== null && { onAccepted: (accepted) => witness.line(witnessLine(accepted)) }),
    });
    closers.push(() => outbox.close());

    const twin = await openTwin({
      files,
      folder: `${folder}/twin`,
      clock,
      log,
      metrics,
      access: collect.access,
      lookup,
      machine: { boot: machineBoot(), isTimeTrusted: clock.isTrusted() },
      accepted: {
        position: () => ({ epoch: outbox.bounds().epoch, seq: outbox.bounds().highest }),
        read: (from, maxBytes) => outbox.readFor("twin", from, maxBytes),
        pass: (seq) => outbox.pass("twin", [[1, seq]]),
      },
    });
    closers.push(() => twin.close());
    bus.subscribe(twin.consumer);

    const bypass = await openBypass({
      ...{ ...options.mqtt, site: ekuiper.withLogin(resources.current()), twin, clock, random, metrics },
      log: log.with({ stage: "bypass" }),
    });
    closers.push(() => bypass.close());
    bus.subscribe(bypass.consumer);

    const alarms = await openAlarms({
      ...{ files, folder: `${folder}/alarms`, clock, random, metrics, log: log.with({ stage: "rules" }) },
    });
    closers.push(() => alarms.close());
    // After bypass, so that what is collected is out at the edge before what rules make of it.
    const host = hostFunctions(random);
    const ruleParts: Pick<RulesOptions, keyof EkuiperRulesOptions & keyof RulesOptions> = {
      ...{ clock, random, files, log, metrics, folder: `${folder}/rules` },
      site: { publish: (message) => bypass.publish(message), readings: (batch) => bus.publish(batch), twin, alarms },
    };
    const ownRules = () =>
      new RulesThread({
        ...ruleParts,
        site: { ...ruleParts.site, listen: bypass.subscribe },
        worker: workerFile(import.meta.url, "rules-worker"),
        heapMb: rulesHeapMb,
        start: () => ({
          ...{ folder: `${folder}/rules`, node: joined.identity.node.uid, boot, floor: clockFloor },
          ...{ logLevel: options.logLevel, syncWitnessPath: options.syncWitnessPath },
        }),
      });
    // Either our engine or a running eKuiper's.
    const rules = ekuiper.isElsewhere
      ? await ekuiper.openRules({
          ...ruleParts,
          node: joined.identity.node.name,
          broker: () => options.mqtt.broker ?? resources.current()?.node.mqtt?.broker ?? mqttUrl(bypass.address),
        })
      : ownRules();
    closers.push(() => rules.close());
    bus.subscribe(rules.consumer);

    const timeZone = () => resources.current()?.node.timeZone ?? "UTC";
    const reports = reportFilter({ lookup, timeZone, clock, metrics });
    const feed = outboxConsumer({ outbox, reports, log: log.with({ stage: "outbox" }) });
    bus.subscribe(feed);
    closers.push(() => feed.idle());

    const control: EdgeControl = {
      ...twin,
      assignedVersion: () => resources.current()?.version ?? 0,
      applyAssigned: (set) => resources.apply(set),
    };
    const report = () => ({
      agentVersion: version,
      mappers: collect.mappers(),
      devices: collect.devices(),
      cycles: collect.cycles(reports.reportMs),
      lines: collect.lines(),
      rules: ekuiper.assignedOnly(rules.status(), resources.current()),
      outbox: outbox.stats(),
      counters: nodeCounters(metrics),
    });
    const link = createLink({
      browse: (connection, path) => collect.browse(connection, path),
      ...{
        outbox,
        control,
        alarms: alarms.link,
        mappers: dmi === null ? mappers : allMappers(mappers, dmi),
        clock,
        random,
        log,
        metrics,
        boot,
        agentVersion: version,
        report,
      },
      dial: dialTls({ ...cloud, credentials: joined.credentials, clock }),
      timeTrusted: clock.isTrusted,
      onTime: (time) => {
        clock.learn(time);
        if (rules instanceof RulesThread) rules.learn(time);
      },
      certificate: joined.life,
      onCertificate: (certificate) => joined.renew(certificate),
    });
    closers.push(() => link.close());

    const applyRules = (): Promise<void> => {
      const set = resources.current();
      if (set === null) return Promise.resolve();
      const { tenant, node, devices } = set;
      const all = [...set.rules, ...ekuiper.made()];
      return rules.apply({ tenant: tenant.name, timeZone: node.timeZone, devices, rules: all });
    };
    const apply = () => {
      indexDevices();
      const set = resources.current();
      if (set === null) return;
      collect.apply({ ...set, devices: set.devices.map(withoutCalculated) });
      bypass
        .apply(ekuiper.withLogin(set))
        .catch((error: unknown) => log.error({ stage: "bypass", error }, "MQTT is not as assigned"));
      twin.devicesChanged();
      reports.devicesChanged();
      alarms.apply({ rules: set.rules, deviceOf: (name) => set.devices.find((one) => one.name === name)?.uid ?? null });
      if (!ekuiper.assignedChanged()) void applyRules();
    };
    resources.onChange(apply);
    // So late, so that it is closed early: what was read and published still finds an open outbox. Before this line it runs nothing.
    closers.push(() => collect.close());
    // Earlier still: what a mapper hears to be taken shall be taken.
    if (dmi !== null) closers.push(() => dmi.stopListening());
    apply();
    const { name: node } = joined.identity.node;
    const localApi = await openLocalApi({
      ...{ ...options.localApi, files, folder: `${folder}/local-api`, clock, random, metrics, pid: process.pid },
      log: log.with({ stage: "local-api" }),
      site: { node, assigned: () => resources.current(), twin, report, link: () => link.state() },
    });
    closers.push(() => localApi.close());
    const ekuiperServer = await ekuiper.listen({
      ...{ rules, host, version, current: () => resources.current(), mqttPort: bypass.address.port, apply: applyRules },
    });
    if (ekuiperServer !== null) closers.push(() => ekuiperServer.close());
    log.info({ node, host: hostname(), version, boot }, "The gateway runs");
    return {
      node,
      localAddress: localApi.address,
      mqttAddress: mqttUrl(bypass.address),
      ekuiperAddress: ekuiperServer?.address ?? null,
      close,
    };
  } catch (error) {
    await close();
    throw startError(folder, error);
  }
}

/** As collect knows a device: nobody reads what rules give. */
function withoutCalculated(device: EffectiveDevice): EffectiveDevice {
  const properties = device.properties.filter((property) => property.isCalculated !== true);
  return properties.length === device.properties.length ? device : { ...device, properties };
}

function mqttUrl({ host, port }: { readonly host: string; readonly port: number }): string {
  return `mqtt://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

type Told = OwnMappers & { onChange(listener: (names: readonly string[]) => void): () => void };
/** Installed ones, and the protocols whose mappers register by themselves. */
function allMappers(installed: Told, registered: Told): Told {
  return {
    list: () => [...installed.list(), ...registered.list()],
    manifest: (hash) => installed.manifest(hash) ?? registered.manifest(hash),
    onChange(listener) {
      const ends = [installed.onChange(listener), registered.onChange(listener)];
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

/** Beyond, the rules' thread ends and begins anew: 10,000 rules use about a third of it. */
const rulesHeapMb = 512;

/** One mapper process should cost little; see docs/performance.md, memory. */
const mapperFlags = ["--max-semi-space-size=1", "--max-old-space-size=128"];

/** Makes the machine a node of a cloud. @throws AppError join/…, link/closed, data/in-use while the agent runs */
export async function joinCloud(options: { readonly dataDir: string; readonly cloud: string; readonly token: string }) {
  const { dataDir: folder } = options;
  const files = realFiles();
  const data = await openDataFolder({ files, path: folder, version: dataVersion, program: "edge" });
  try {
    const clock = systemClock({ floor: await readFloor(files, `${folder}/time`) });
    return await joinWith({
      cloudUrl: options.cloud,
      token: options.token,
      files,
      folder,
      clock,
      signal: AbortSignal.timeout(60_000),
    });
  } catch (error) {
    throw startError(folder, error);
  } finally {
    await data.close();
  }
}
