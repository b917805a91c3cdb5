import { createServer } from "node:http";
import { networkInterfaces, hostname as osHostname } from "node:os";
import {
  AppError,
  type MapperManifest,
  manifestFile,
  type NodeNudger,
  parseDuration,
  parseManifest,
} from "@penstock/model";
import {
  type Files,
  type Log,
  type LogLevel,
  metricsRegistry,
  openDataFolder,
  openSecrets,
  pinoLog,
  realFiles,
  startError,
  systemClock,
  systemRandom,
} from "@penstock/runtime";
import { openAuthority } from "./authority/authority.ts";
import { createHttp, loadPages } from "./http/index.ts";
import { createIngest } from "./ingest/create-ingest.ts";
import { createLinkServer, type LinkServer } from "./link/link-server.ts";
import { openOnePort } from "./link/one-port.ts";
import { type MailServer, openNotifier } from "./notices/open-notifier.ts";
import { createServices } from "./services/index.ts";
import { openSeriesStore } from "./store/series/open-series-store.ts";
import { openStateStore } from "./store/state/open-state-store.ts";
import { version } from "./version.ts";

export interface CloudOptions {
  readonly dataDir: string;
  /** address and port of the one TLS port; 0 = any free one */
  readonly host: string;
  readonly port: number;
  /** plain port on loopback */
  readonly localPort: number;
  /** further names and addresses by which the server is reached, for its certificate */
  readonly hostnames: readonly string[];
  /** folders with mapper.json files, whose settings can then be checked */
  readonly mapperFolders: readonly string[];
  /** folder of the console's files */
  readonly console: string;
  readonly logLevel: LogLevel;
  /** null: messages about alarms go to webhooks only */
  readonly mail: MailServer | null;
}
export interface RunningCloud {
  readonly address: string;
  readonly localAddress: string;
  readonly caHash: string;
  /** the administrator's login when this start made it; shown once */
  readonly firstLogin: { readonly user: string; readonly password: string } | null;
  close(): Promise<void>;
}

/** Format of the cloud's data folder. */
const dataVersion = 1;
/** How often it is looked whether the server's certificate needs a new one. */
const certificateCheckMs = 3_600_000;

/**
 * The cloud server.
 *
 *   gateway ═▶ one port ─▶ link ─▶ ingest ─▶ store ─▶ services ─▶ http ─▶ console, cli
 *   gateway ◀═ one port ◀─ link ◀─────────────────── services ◀─ http ◀─ console, cli
 *
 * @throws AppError data/…, port/in-use, store/corrupt
 */
export async function startCloud(options: CloudOptions): Promise<RunningCloud> {
  const { dataDir: folder } = options;
  const log = pinoLog({ level: options.logLevel, program: "cloud" });
  const metrics = metricsRegistry();
  const files = realFiles();
  const clock = systemClock();
  const random = systemRandom;
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const data = await openDataFolder({ files, path: folder, version: dataVersion, program: "cloud" });
    closers.push(() => data.close());
    const authority = await openAuthority({ files, folder: `${folder}/authority`, clock, random });
    const secrets = await openSecrets({ files, folder, credentials: process.env.CREDENTIALS_DIRECTORY, random });
    const onLost = (error: Error) => {
      // Nothing can be stored any more; whoever supervises us starts us again, and nothing unstored was acknowledged.
      log.error({ stage: "store", error }, "A store's worker ended; stopping");
      process.exit(1);
    };
    const state = await openStateStore({ folder, log, onLost });
    closers.push(() => state.close());
    const series = await openSeriesStore({
      ...{ folder, clock, log, metrics, onLost },
      async retentionMs(tenant) {
        const row = await state.db
          .selectFrom("resources")
          .select("spec")
          .where("kind", "=", "Tenant")
          .where("uid", "=", tenant)
          .executeTakeFirst();
        const retention = row === undefined ? undefined : (JSON.parse(row.spec) as { retention?: string }).retention;
        return retention === undefined ? null : parseDuration(retention);
      },
    });
    closers.push(() => series.close());

    let link: LinkServer | null = null;
    // Services nudge the link, the link asks services: the one that is made first is handed the other through this.
    const nudger: NodeNudger = {
      assignedChanged: (node) => link?.assignedChanged(node),
      desiredChanged: (node) => link?.desiredChanged(node),
      callsChanged: (node) => link?.callsChanged(node),
      alarmActsChanged: (node) => link?.alarmActsChanged(node),
      async browse(...question) {
        if (link === null) throw new AppError("link/closed", "Cannot browse: the cloud is starting");
        return link.browse(...question);
      },
      disconnect: (node, code) => link?.disconnect(node, code),
      isConnected: (node) => link?.isConnected(node) ?? false,
    };
    const manifests = await readManifests(files, options.mapperFolders, log);
    const services = createServices({
      notifier: openNotifier({ mail: options.mail, userAgent: `penstock/${version}` }),
      db: state.db,
      series,
      clock,
      random,
      log,
      metrics,
      nudger,
      authority,
      box: secrets.box,
      manifests,
    });
    closers.push(() => services.close());

    const ingest = createIngest({
      ...{ store: series, log, metrics },
      wasAssigned: services.control.wasAssigned,
      onCommitted: services.onCommitted,
      onUnassigned: services.onUnassigned,
    });
    link = createLinkServer({ ingest, control: services.control, clock, log, metrics });
    closers.push(() => link!.close());

    const pages = await loadPages(files, options.console);
    const http = await createHttp({ services, clock, log, metrics, version, pages });
    closers.push(() => http.close());
    const names = ["localhost", "127.0.0.1", "::1", osHostname(), ...ownAddresses(), ...options.hostnames];
    const port = await openOnePort({
      ...{ host: options.host, port: options.port, clock, log, metrics },
      ...(await authority.serverCertificate(names)),
      trustBundlePem: authority.trustBundlePem,
      request: http.handler,
      accept: link.accept,
    });
    closers.push(() => port.close());
    const renewal = setInterval(() => {
      authority
        .serverCertificate(names)
        .then(port.setCertificate, (error: unknown) => log.error({ error }, "Cannot renew the server's certificate"));
    }, certificateCheckMs).unref();
    closers.push(async () => clearInterval(renewal));

    const local = createServer(http.handler);
    await listenLocally(local, options.localPort);
    closers.push(
      () =>
        new Promise((resolve) => {
          local.close(() => resolve());
          local.closeAllConnections();
        }),
    );
    // First of all: who is connected hears why, and who has asked is answered, before a socket ends.
    closers.push(async () => {
      port.stopListening();
      local.close();
      await Promise.all([link!.close(), http.close()]);
    });
    // Last, so that a port in use does not cost the first login, which is shown once.
    const firstLogin = await services.start();
    await secrets.onlyFirstKey();
    const localPort = (local.address() as { port: number }).port;
    log.info({ port: port.port, localPort, version }, "The cloud runs");
    return {
      address: `https://localhost:${port.port}`,
      localAddress: `http://127.0.0.1:${localPort}`,
      caHash: authority.caHash,
      firstLogin,
      close,
    };
  } catch (error) {
    await close();
    throw startError(folder, error);
  }
}

function listenLocally(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const text = `Cannot listen on 127.0.0.1:${port}: ${cause.code === "EADDRINUSE" ? "another program does; stop it, or choose another with --local-port (0 = any free one)" : cause.message}`;
      reject(new AppError("port/in-use", text, { cause }));
    });
    server.listen({ port, host: "127.0.0.1" }, () => resolve());
  });
}

/** Addresses under which gateways on the same network reach this machine. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter((a) => !a.internal && !a.address.startsWith("fe80")).map((a) => a.address),
  );
}

async function readManifests(files: Files, folders: readonly string[], log: Log): Promise<MapperManifest[]> {
  const manifests: MapperManifest[] = [];
  for (const folder of folders) {
    for (const name of (await files.list(folder)).sort()) {
      const path = `${folder}/${name}/${manifestFile}`;
      if (!(await files.exists(path))) continue;
      try {
        manifests.push(parseManifest(new TextDecoder().decode(await files.readAll(path))));
      } catch (error) {
        log.warn({ path, error }, "Passed over a mapper manifest");
      }
    }
  }
  return manifests;
}
