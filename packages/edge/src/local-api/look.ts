import { AppError, type LocalDevice, type LocalStatus, type LocalTwinAnswer } from "@penstock/model";
import { asyncApiOf } from "@penstock/wire";
import { holdAnswer, methodAnswer, propertyAnswer } from "./answers.ts";
import { deviceAt } from "./find-device.ts";
import type { LocalSite } from "./local-site.ts";
import type { Answer, Asked } from "./routes.ts";

export async function listDevices(site: LocalSite): Promise<Answer<{ readonly items: readonly LocalDevice[] }>> {
  const assigned = site.assigned();
  const health = new Map(site.report().devices.map((one) => [one.device, one]));
  const connections = new Map(assigned?.connections.map(({ uid, name }) => [uid, name]));
  const items = (assigned?.devices ?? []).map(({ uid, name, connection, properties, methods }): LocalDevice => {
    const { state = "unknown", reason = null, message = null } = health.get(uid) ?? {};
    return {
      ...{ device: name, connection: connections.get(connection) ?? null, state, reason, message },
      properties: properties.map((property) => property.name),
      methods: methods.map((method) => method.name),
    };
  });
  return { status: 200, body: { items } };
}

export async function readTwin(site: LocalSite, { params }: Asked): Promise<Answer<LocalTwinAnswer>> {
  const device = deviceAt(site, params.device!);
  const reported = site.twin.reported(device.uid);
  const wanted = new Map(site.twin.desired(device.uid).map((one) => [one.property, one]));
  const properties = device.properties.map((property) =>
    propertyAnswer(property, reported.get(property.name), wanted.get(property.name)),
  );
  return { status: 200, body: { device: device.name, properties, methods: device.methods.map(methodAnswer) } };
}

export async function readStatus(site: LocalSite): Promise<Answer<LocalStatus>> {
  const { agentVersion, mappers, lines, cycles, outbox, counters } = site.report();
  const assigned = site.assigned();
  const connections = new Map<string, string>(assigned?.connections.map(({ uid, name }) => [uid, name]));
  const devices = new Map<string, string>(assigned?.devices.map(({ uid, name }) => [uid, name]));
  const holds = site.twin.holds().map((hold) => {
    return { device: devices.get(hold.device) ?? hold.device, property: hold.property, ...holdAnswer(hold) };
  });
  return {
    status: 200,
    body: {
      ...{ node: site.node, tenant: assigned?.tenant.name ?? null, agentVersion, link: site.link(), mappers },
      lines: lines.map((line) => ({ ...line, connection: connections.get(line.connection) ?? line.connection })),
      cycles: cycles.map((cycle) => ({ ...cycle, device: devices.get(cycle.device) ?? cycle.device })),
      ...{ outbox, holds, counters },
    },
  };
}

/** @throws AppError resource/not-found before the first assignment */
export async function readAsyncApi(site: LocalSite): Promise<Answer<ReturnType<typeof asyncApiOf>>> {
  const assigned = site.assigned();
  if (assigned === null) {
    throw new AppError("resource/not-found", "Cannot describe what is published: the cloud has assigned nothing yet");
  }
  return { status: 200, body: asyncApiOf(assigned) };
}
