import { type AssignedSet, defaultMqtt, type EffectiveRule, type MqttBroker, type RuleHealth } from "@penstock/model";
import type { HostFunctions } from "@penstock/rules";
import {
  type Clock,
  type Files,
  type Log,
  type Metrics,
  makeDurableFolder,
  offsetAtOf,
  type Random,
  type SecretBox,
  writeFile,
} from "@penstock/runtime";
import type { Rules } from "../rules.ts";
import { openCatalogue } from "./catalogue.ts";
import type { EkuiperRulesOptions } from "./ekuiper-rules.ts";
import { ekuiperTopics } from "./ekuiper-topics.ts";
import type { LocalEngine } from "./local-engine.ts";
import type { BrokerLogin } from "./results-here.ts";

export interface EkuiperSettings {
  /** of eKuiper's REST shape on loopback; 0 = any free one; null = none */
  readonly port: number | null;
  /** "http://127.0.0.1:9081" of a running eKuiper that runs the rules; null = our engine */
  readonly url: string | null;
}
interface Options extends EkuiperSettings {
  readonly files: Files;
  /** in the gateway's data folder */
  readonly folder: string;
  readonly secrets: SecretBox;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}
/** The gateway around, when it runs. */
interface Around {
  current(): AssignedSet | null;
  readonly rules: Rules;
  readonly host: HostFunctions;
  readonly version: string;
  /** port of the gateway's own broker */
  readonly mqttPort: number;
  /** hands the engine what is assigned and what is `made` */
  apply(): Promise<void>;
}

/**
 * The two ways in which a gateway has to do with eKuiper: it speaks its REST shape, and it lets a running one do its rules.
 * Loaded when they are asked for: most gateways have neither.
 */
export async function openEkuiper(options: Options) {
  const { files, folder, secrets, url, port } = options;
  // Opened also when nobody asks for it: a key that is given up would be the one it is sealed with.
  const catalogue = await openCatalogue({ files, folder, secrets });
  const password = url === null ? null : await keepPassword(options);
  let made: readonly EffectiveRule[] = [];
  let engine: LocalEngine | null = null;
  return {
    isElsewhere: url !== null,
    /** rules that were made here */
    made: () => made,
    /** how those of the cloud are */
    assignedOnly(all: readonly RuleHealth[], set: AssignedSet | null): readonly RuleHealth[] {
      const assigned = new Set(set?.rules.map(({ uid }) => uid));
      return port === null ? all : all.filter(({ rule }) => assigned.has(rule));
    },
    /** the set with a login for the eKuiper at the embedded broker */
    withLogin<Site extends AssignedSet | null>(set: Site): Site {
      if (password === null || set === null) return set;
      const mqtt = set.node.mqtt ?? defaultMqtt;
      const user = {
        name: loginName,
        password,
        publish: [...ekuiperTopics.publish],
        subscribe: [...ekuiperTopics.subscribe],
      };
      return { ...set, node: { ...set.node, mqtt: { ...mqtt, users: [...mqtt.users, user] } } };
    },
    /** @param broker  another program's, or the address of the embedded one */
    async openRules(
      parts: Omit<EkuiperRulesOptions, "url" | "broker"> & { broker(): MqttBroker | string },
    ): Promise<Rules> {
      const { openEkuiperRules } = await import("./ekuiper-rules.ts");
      return openEkuiperRules({ ...parts, url: url!, broker: () => loginAt(parts.broker(), password!) });
    },
    /** What is assigned has changed. @returns whether the engine has been handed it */
    assignedChanged(): boolean {
      void engine?.applyAgain();
      return engine !== null;
    },
    /** @returns null: no port is given @throws AppError port/in-use */
    async listen(around: Around) {
      if (port === null) return null;
      const [{ LocalEngine }, { openRestServer }] = await Promise.all([
        import("./local-engine.ts"),
        import("./rest-server.ts"),
      ]);
      const { current, rules, host } = around;
      const ownBrokers = new Set(["127.0.0.1", "localhost"].map((name) => `${name}:${around.mqttPort}`));
      const { clock, log, metrics } = options;
      engine = new LocalEngine({
        ...{ catalogue, ownBrokers, clock, log: log.with({ stage: "rules" }) },
        rules: {
          ...{ host, offsetAt: offsetAtOf, status: () => rules.status() },
          assigned: () => current()?.rules ?? [],
          devices: () => current()?.devices ?? [],
          tenant: () => current()?.tenant.name ?? "",
          timeZone: () => current()?.node.timeZone ?? "UTC",
          apply(next) {
            made = next;
            return around.apply();
          },
        },
      });
      const { version } = around;
      return openRestServer({ port, engine, clock, log: log.with({ stage: "rules" }), metrics, version });
    },
  };
}

const loginName = "ekuiper";

function loginAt(broker: MqttBroker | string, password: string): BrokerLogin {
  if (typeof broker === "string") return { url: broker, user: loginName, password };
  return { url: broker.url.replace(/\/$/, ""), user: broker.user, password: broker.password };
}

/** Made at the first start and kept since, so that what stands at the eKuiper goes on. @returns 128 random bits as hex digits */
async function keepPassword({ files, folder, random }: Options): Promise<string> {
  const path = `${folder}/password`;
  if (await files.exists(path)) {
    const known = new TextDecoder().decode(await files.readAll(path)).trim();
    if (/^[0-9a-f]{32}$/.test(known)) return known;
  }
  await makeDurableFolder(files, folder);
  const password = Buffer.from(random.bytes(16)).toString("hex");
  await writeFile({ files, folder, name: "password", bytes: `${password}\n`, isSecret: true });
  return password;
}
