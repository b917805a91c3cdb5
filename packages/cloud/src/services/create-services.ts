import type { CommittedBatch, ErrorCode, NodeIdentity, SeriesStore } from "@penstock/model";
import { createAlarmActs } from "./alarm-acts.ts";
import { createAlarmNotices } from "./alarm-notices.ts";
import { createAlarms } from "./alarms.ts";
import { createAssigned } from "./assigned.ts";
import { createAsyncApi } from "./asyncapi.ts";
import { createAuth } from "./auth.ts";
import { createBrowse } from "./browse.ts";
import { createBulk } from "./bulk.ts";
import { createCalls } from "./calls.ts";
import { createCertificates } from "./certificates.ts";
import { createChanges } from "./changes.ts";
import { createConnections } from "./connections.ts";
import type { CheckingContext, ServiceContext } from "./context.ts";
import { createControl } from "./control.ts";
import { createCopies } from "./copy.ts";
import { createDesired } from "./desired.ts";
import { createDeviceModels } from "./device-models.ts";
import { createDevices } from "./devices.ts";
import { createHistory } from "./history.ts";
import { createHolds } from "./holds.ts";
import { createJoinTokens } from "./join-tokens.ts";
import { createKubeEdge } from "./kubeedge.ts";
import { createLineAlarms } from "./line-alarms.ts";
import { createLineLoads } from "./line-loads.ts";
import { createLive } from "./live.ts";
import { createMapperFit } from "./mapper-fit.ts";
import { createMappers } from "./mappers.ts";
import { createModelling } from "./modelling.ts";
import { createNames } from "./names.ts";
import { createNodeAlarms } from "./node-alarms.ts";
import { createNodeStatuses } from "./node-status.ts";
import { createNodes } from "./nodes.ts";
import { createRuleAlarms } from "./rule-alarms.ts";
import { createRuleTrials } from "./rule-trials.ts";
import { createRules } from "./rules.ts";
import { createSealStored } from "./seal-stored.ts";
import { createSeries } from "./series.ts";
import { createSpecSecrets } from "./spec-secrets.ts";
import { createStandingAlarms } from "./standing-alarms.ts";
import { createTables } from "./tables.ts";
import { createTenants } from "./tenants.ts";
import { createTwins } from "./twins.ts";
import { createUnassignedAlarms } from "./unassigned-alarms.ts";
import { createUsers } from "./users.ts";
import { createRuleWhys } from "./why-rule.ts";

const mapperAlarmCodes = [
  "mapper/devices-unfit",
  "mapper/manifest-differs",
  "mapper/manifest-refused",
] as const satisfies readonly ErrorCode[];

/**
 * All services of one cloud process, over the stores and ports handed in.
 *
 *   http ─▶ tenants users nodes connections deviceModels devices twins desired series live alarms joinTokens auth
 *   link ─▶ control          ingest ─▶ live.onCommitted
 *
 * Call `start()` before the first request and `close()` before the stores are closed.
 */
export function createServices(given: ServiceContext) {
  const names = createNames(given.db);
  const live = createLive(given, names);
  const alarmParts = { names, onAlarm: live.onAlarm };
  const alarms = createAlarms(given, alarmParts);
  const alarmActs = createAlarmActs(given, alarmParts);
  const mapperAlarms = createStandingAlarms(alarms, mapperAlarmCodes);
  const onTold = (node: NodeIdentity) => {
    fit.lookAt(node);
    sealing.lookAt(node.tenant);
  };
  const mappers = createMappers(given, { names, alarms: mapperAlarms, onTold });
  const secrets = createSpecSecrets({ box: given.box, log: given.log, secretFields: mappers.secretFields });
  const context: CheckingContext = { ...given, mappers, secrets };
  const notices = createAlarmNotices(context, given.notifier);
  const ruleAlarms = createRuleAlarms(given, { ...alarmParts, onNews: notices.onNews });
  const sealing = createSealStored(context);
  const fit = createMapperFit(context, { mappers, names, alarms: mapperAlarms });
  const statuses = createNodeStatuses(context);
  const holds = createHolds(context);
  const desired = createDesired(context, { names, holds });
  const calls = createCalls(context);
  const nodeAlarms = createNodeAlarms({ alarms, names });
  const unassigned = createUnassignedAlarms(context, alarms);
  const stopListening = desired.onChange((change) => live.onDesired(change));
  const certificates = createCertificates(context);
  const assigned = createAssigned(context);
  const nodes = createNodes(context, statuses);
  const tenants = createTenants(context);
  const users = createUsers(context);

  const loads = createLineLoads(context);
  const lineAlarms = createLineAlarms(context, { alarms, loads, names });
  // What changes for a node may fill its lines: looked at when the node is told.
  const watched = { ...context, nudger: lineAlarms.watching(context.nudger) };
  const connections = createConnections(watched, { statuses, loads, fit });
  const deviceModels = createDeviceModels(watched, { desired, fit });
  const devices = createDevices(watched, { statuses, live, desired, fit });
  const rules = createRules(watched, { statuses });
  const modelling = createModelling(watched, { devices, models: deviceModels, desired, statuses, live });
  const bulk = createBulk(context, {
    kinds: {
      Node: nodes.parts,
      Connection: connections.parts,
      DeviceModel: deviceModels.parts,
      Device: devices.parts,
      Rule: rules.parts,
    },
    loads,
  });
  const tables = createTables(context, bulk);

  return {
    auth: createAuth(context),
    tenants,
    users,
    nodes,
    connections,
    deviceModels,
    devices,
    rules,
    ruleTrials: createRuleTrials(context),
    ruleWhys: createRuleWhys(context, { statuses, live }),
    modelling,
    bulk,
    copies: createCopies(context, bulk),
    tables,
    kubeedge: createKubeEdge(context, bulk),
    history: createHistory(context, bulk),
    changes: createChanges(context, bulk),
    mappers,
    browse: createBrowse(context),
    asyncapi: createAsyncApi(context, assigned),
    desired,
    calls,
    twins: createTwins(context, { live, desired, holds }),
    series: createSeries(context),
    live,
    alarms,
    alarmActs,
    nodeAlarms,
    lineAlarms,
    joinTokens: createJoinTokens(context, { nodes, certificates }),
    /** for the cloud's link */
    control: createControl(context, {
      assigned,
      desired,
      holds,
      calls,
      alarms,
      ruleAlarms: { ...ruleAlarms, ...alarmActs },
      nodeAlarms,
      lineAlarms,
      statuses,
      certificates,
      mappers,
    }),
    /** for ingest, after each commit */
    onCommitted: (committed: CommittedBatch) => live.onCommitted(committed),
    /** for ingest, when a node sends what is not its own */
    onUnassigned: unassigned.note,
    /** what /readyz asks: [] when requests can be served */
    async failing(): Promise<string[]> {
      const [state, series] = await Promise.allSettled([
        context.db.selectFrom("settings").select("name").limit(1).execute(),
        isAnswering(context.series),
      ]);
      const failing: string[] = [];
      if (state.status === "rejected") failing.push("state store");
      if (series.status === "rejected") failing.push("series store");
      return failing;
    },
    /** @returns the first administrator's login, when this start made it */
    async start(): Promise<{ user: string; password: string } | null> {
      await tenants.ensureDefault();
      await statuses.start();
      await alarms.start();
      await mapperAlarms.start(context.db);
      await mappers.start();
      await sealing.start();
      await desired.start();
      await calls.start();
      await notices.start();
      await modelling.start();
      return users.ensureAdministrator();
    },
    async close(): Promise<void> {
      stopListening();
      live.close();
      await tables.close();
      await modelling.close();
      await desired.close();
      await calls.close();
      await notices.close();
      unassigned.close();
      await nodeAlarms.close();
      await lineAlarms.close();
      await mappers.close();
      await sealing.close();
      await fit.close();
      await alarms.close();
      await statuses.close();
    },
  };
}
export type Services = ReturnType<typeof createServices>;

async function isAnswering(series: SeriesStore): Promise<void> {
  await series.stats();
}
