import type { FieldError } from "../errors.ts";
import { isObject } from "../is-object.ts";
import { limits } from "../limits.ts";
import type { EffectiveMqtt, MqttSpec, MqttUser } from "./mqtt.ts";
import { mqttFormats } from "./mqtt.ts";
import { checkTopicFilter, filtersOf } from "./topic-filter.ts";

/** What a client may subscribe to when nobody says: wildcards do not reach topics that start with $. */
export const allFilters = ["#", "$ke/#", "$hw/#", "$sparkplug/#"] as const;

/** A gateway whose node says nothing of MQTT. */
export const defaultMqtt: EffectiveMqtt = {
  ...{ anonymous: "subscribe", users: [], formats: ["flat", "kubeedge"], retain: false },
  ...{ sparkplug: { group: null, writes: false }, broker: null },
};

export function effectiveMqtt(spec: MqttSpec = {}): EffectiveMqtt {
  const { users = {}, sparkplug, broker } = spec;
  return {
    anonymous: spec.anonymous ?? defaultMqtt.anonymous,
    users: Object.entries(users).flatMap(([name, user]): MqttUser[] => {
      const { password, publish = [], subscribe = allFilters } = user;
      // A sealed one that could not be opened: nobody comes in by it.
      if (password === undefined) return [];
      return [{ name, password, publish: filtersOf(publish, name), subscribe: filtersOf(subscribe, name) }];
    }),
    formats: mqttFormats.filter((format) => (spec.formats ?? defaultMqtt.formats).includes(format)),
    retain: spec.retain ?? false,
    sparkplug: { group: sparkplug?.group ?? null, writes: sparkplug?.writes ?? false },
    broker:
      broker === undefined ? null : { url: broker.url, user: broker.user ?? null, password: broker.password ?? null },
  };
}

/** What of a node's MQTT settings the schema alone cannot say. */
export function checkMqttSpec(spec: MqttSpec, field = "spec.mqtt"): FieldError[] {
  const found: FieldError[] = [];
  for (const [name, user] of Object.entries(spec.users ?? {})) {
    for (const right of ["publish", "subscribe"] as const) {
      for (const [i, filter] of (user[right] ?? []).entries()) {
        const [filled = ""] = filtersOf([filter], name);
        found.push(...checkTopicFilter(filled, `${field}.users.${name}.${right}[${i}]`));
      }
    }
  }
  const { broker } = spec;
  if (broker?.password !== undefined && broker.user === undefined) {
    // MQTT 3.1.1, 3.1.2.9: without a user name there is no password
    found.push({ field: `${field}.broker.user`, value: "(missing)", rule: "must be there when there is a password" });
  }
  return found;
}

/** What is wrong with the shape of settings that came from elsewhere; their values are not told. */
export function effectiveMqttFaults(mqtt: unknown, field: string): FieldError[] {
  const fault = (at: string, rule: string) => [{ field: `${field}${at}`, value: "(hidden)", rule }];
  const isTexts = (list: unknown) => Array.isArray(list) && list.every((one) => typeof one === "string");
  if (!isObject(mqtt)) return fault("", "object");
  const { users, formats, sparkplug, broker } = mqtt;
  if (mqtt.anonymous !== "subscribe" && mqtt.anonymous !== "none") return fault(".anonymous", "subscribe or none");
  if (!Array.isArray(users) || users.length > limits.mqttUsers) {
    return fault(".users", `list of at most ${limits.mqttUsers}`);
  }
  const broken = users.findIndex((user: unknown) => {
    const isNamed = isObject(user) && typeof user.name === "string" && typeof user.password === "string";
    return !isNamed || !isTexts(user.publish) || !isTexts(user.subscribe);
  });
  if (broken >= 0) return fault(`.users[${broken}]`, "name, password and lists of filters");
  if (!isTexts(formats)) return fault(".formats", "list of texts");
  if (typeof mqtt.retain !== "boolean") return fault(".retain", "true or false");
  if (!isObject(sparkplug)) return fault(".sparkplug", "object");
  if (broker !== null && (!isObject(broker) || typeof broker.url !== "string")) return fault(".broker", "url, or null");
  return [];
}
