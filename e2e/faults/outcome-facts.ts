import { isFinal, parseMicros } from "@penstock/model";
import { realFiles } from "@penstock/runtime";
import { openDesiredJournal } from "../../packages/edge/src/twin/desired-journal.ts";
import type { OutcomeFact, Told } from "./judge-outcomes.ts";
import { orderDevices } from "./order-device.ts";
import type { Order } from "./orders.ts";
import { type Rig, tenant } from "./rig.ts";
import { until } from "./until.ts";

/** How long values that need no time to live may take to their end once all is healed. */
const endWithinMs = 30_000;

/** Waits until what was set has come to its end in the cloud, and tells what the cloud and the machines say of it. */
export async function outcomeFacts(rig: Rig, orders: readonly Order[]): Promise<OutcomeFact[]> {
  const facts: OutcomeFact[] = [];
  const uids = new Map<string, string>();
  for (const name of orderDevices) {
    uids.set(name, (await rig.client.devices.get({ params: { tenant, name } })).metadata.uid);
  }
  const endBy = performance.now() + endWithinMs;
  for (const { device, property, last, values, before } of orders) {
    const read = () => rig.client.twins.getDesired({ params: { tenant, device, property } });
    const isOver = async () => (isFinal((await read()).state) ? true : null);
    await until(isOver, endBy - performance.now());
    const { version, state, reason, setAt, sentAt, writtenAt, endedAt, updatedAt } = await read();
    const times = [setAt, sentAt, writtenAt, endedAt, updatedAt].map((time) =>
      time === null ? null : parseMicros(time),
    );
    const told: Told = { version, state, reason, times };
    const machine = (await rig.report()).orders[orderDevices.indexOf(device)]!;
    facts.push({
      ...{ device, uid: uids.get(device)!, property, version: last.version, value: last.value, values, before, told },
      expiresAt: parseMicros(last.expiresAt)! / 1000,
      atDevice: machine.held[property],
      writes: machine.writes.filter((write) => write.property === property),
      gateway: null,
    });
  }
  return facts;
}

/** Adds what the gateway has on its disk, which must have ended. */
export async function withGateway(agentFolder: string, facts: readonly OutcomeFact[]): Promise<OutcomeFact[]> {
  const journal = await openDesiredJournal({ files: realFiles(), folder: `${agentFolder}/twin` });
  try {
    return facts.map((fact) => {
      const slot = journal.state.get(`${fact.uid}/${fact.property}`);
      if (slot === undefined) return fact;
      const { highest: version, active, end, reports } = slot;
      const isOpen = active !== null;
      return {
        ...fact,
        gateway: { version, isOpen, state: end?.state ?? null, reason: end?.reason ?? null, untold: reports.length },
      };
    });
  } finally {
    await journal.close();
  }
}
