import type { EffectiveRule } from "@penstock/model";
import { hostFunctions, metricsRegistry, type SecretBox, secretBox, silentLog, systemRandom } from "@penstock/runtime";
import { type SimDisk, SimRandom, simDisk } from "@penstock/testkit";

import type { OpenSource } from "../rules.ts";
import { device, site } from "../rules-fixture.ts";
import { openCatalogue } from "./catalogue.ts";
import { LocalEngine } from "./local-engine.ts";
import type { LocalRules } from "./local-rules.ts";
import { openRestServer } from "./rest-server.ts";

export const key = new Uint8Array(32).fill(7);

/** A gateway's rules stage with eKuiper's REST shape before it, and an HTTP client. */
export async function localSite(
  options: { readonly disk?: SimDisk; readonly secrets?: SecretBox; readonly openSource?: OpenSource } = {},
) {
  const disk = options.disk ?? simDisk({ random: new SimRandom(1) });
  const secrets = options.secrets ?? secretBox([key], systemRandom);
  const around = site({ openSource: options.openSource ?? (() => ({ close: async () => {} })) });
  const devices = [device("tank-01")];
  let assigned: readonly EffectiveRule[] = [];
  let local: readonly EffectiveRule[] = [];
  const apply = () => around.apply([...assigned, ...local], devices);
  const rules: LocalRules = {
    ...{ assigned: () => assigned, devices: () => devices, tenant: () => "acme", timeZone: () => "UTC" },
    ...{ offsetAt: () => () => 0, host: hostFunctions(systemRandom), status: () => around.rules.status() },
    async apply(made) {
      local = made;
      apply();
    },
  };
  const { clock } = around;
  const catalogue = await openCatalogue({ files: disk.files, folder: "/data/ekuiper", secrets });
  const ownBrokers = new Set(["127.0.0.1:1883"]);
  const engine = new LocalEngine({ rules, catalogue, ownBrokers, clock, log: silentLog });
  const metrics = metricsRegistry();
  const server = await openRestServer({ port: 0, engine, clock, log: silentLog, metrics, version: "1.2.3" });
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${server.address}${path}`, {
      ...{ method, headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type")?.startsWith("application/json") === true;
    return { status: answer.status, said: isJson ? (JSON.parse(text) as unknown) : text };
  };
  return {
    ...{ ...around, disk, engine, server, ask, catalogue },
    assign(next: readonly EffectiveRule[]) {
      assigned = next;
      void engine.applyAgain();
    },
    close: () => server.close(),
  };
}
