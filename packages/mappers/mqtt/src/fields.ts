// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of topics and payloads have placeholders of that shape
import {
  bool,
  int,
  jsonPathPattern,
  oneOf,
  payloadFields,
  pemPattern,
  type Settings,
  secret,
  templatePattern,
  text,
  timeForms,
} from "@penstock/mapper-sdk";
import { limits } from "@penstock/model";

const pem = { maxLength: 65_536, pattern: pemPattern } as const;

export const connectionFields = {
  url: text({
    pattern:
      "^(mqtts?|wss?)://[^\\s/@:\\[\\]]+(:\\d{1,5})?(/\\S*)?$|^(mqtts?|wss?)://\\[[0-9a-fA-F:]+\\](:\\d{1,5})?(/\\S*)?$",
    example: "mqtt://10.0.4.30:1883",
    summary:
      "The broker, as seen from the gateway: mqtt, mqtts (TLS), ws or wss; ports 1883, 8883, 80 and 443 unless stated",
  }),
  protocol: oneOf(["5", "4"], { default: "5", summary: "4 is MQTT 3.1.1, for brokers that refuse 5" }),
  clientId: text({
    optional: true,
    maxLength: 128,
    summary: "By which the broker knows us; no two clients may have the same. By chance when missing",
  }),
  user: text({ optional: true, maxLength: 256 }),
  password: secret({ summary: "Password of `user`" }),
  ca: text({
    ...pem,
    optional: true,
    summary:
      "CA that signed the broker's certificate: PEM, or a file in the mapper's folder; the usual ones when missing",
  }),
  certificate: text({
    ...pem,
    optional: true,
    summary: "Our own certificate, if the broker wants one: PEM, or a file",
  }),
  privateKey: secret({ maxLength: 65_536, summary: "Its key: PEM, or better a file in the mapper's folder" }),
  serverName: text({
    optional: true,
    maxLength: 253,
    summary: "Name in the broker's certificate, if it is not the host",
  }),
  keepAlive: int({ min: 1, max: 65_535, default: 30, unit: "s", summary: "A broker silent for longer is gone" }),
  cleanStart: bool({
    default: true,
    summary: "false: the broker keeps what comes with qos 1 while we are away, and needs a clientId",
  }),
  sessionExpiry: int({
    min: 1,
    max: 0xffff_fffe,
    default: 3600,
    unit: "s",
    summary: "For how long it keeps that, with protocol 5",
  }),
};

/** What a topic of a device may name. */
export const topicNames = ["device", "name", "property"] as const;
// MQTT 5.0, 4.7.1 and 4.7.3: wildcards in filters only and each a level of its own; no U+0000
const filter = { maxLength: limits.topicBytes, pattern: filterPattern() } as const;
const topic = { maxLength: limits.topicBytes, pattern: templatePattern(topicNames, "[^$#+\\u0000]") } as const;

export const addressFields = {
  name: text({
    optional: true,
    maxLength: 256,
    pattern: "^[^#+\\u0000]+$",
    summary: "Stands for ${name} in the topics of this device, so that many equal devices differ in one word",
  }),
  willTopic: text({
    ...topic,
    optional: true,
    example: "shellies/${name}/online",
    summary: "Where the broker tells that the device is gone (its last will)",
  }),
  willPayload: text({ default: "offline", maxLength: 1024, summary: "What is told there when it is gone" }),
  willPath: text({
    pattern: jsonPathPattern,
    optional: true,
    example: "$.state",
    summary: "Where in the JSON told there that word stands; the whole payload when missing",
  }),
};

export const visitorFields = {
  topic: text({
    ...filter,
    optional: true,
    example: "plant/${device}/state",
    summary: "What is subscribed to: ${device}, ${name} and ${property} are filled in; + and # are wildcards",
  }),
  qos: oneOf(["1", "0"], { default: "1", summary: "0: what is lost on the way is lost" }),
  ...payloadFields(),
  missing: oneOf(["bad", "keep"], {
    default: "bad",
    summary: "A message without the path: the value is bad, or the last one stands",
  }),
  time: text({
    pattern: jsonPathPattern,
    optional: true,
    example: "$.time",
    summary: "Where the device's own time stands; then it is the time of the value",
  }),
  timeForm: oneOf([...timeForms], { default: "iso", summary: "RFC 3339 with a zone, or a number since 1970 UTC" }),
  setTopic: text({
    ...topic,
    optional: true,
    example: "plant/${device}/set",
    summary: "Where a set value is published",
  }),
  template: text({
    optional: true,
    maxLength: 4096,
    example: '{"state": ${value}}',
    summary:
      "Payload of a set value: ${value} is it as JSON, ${text} bare and within quotes; the value alone when missing",
  }),
  setQos: oneOf(["1", "0"], { default: "1", summary: "1: a set value counts as written when the broker has it" }),
  retain: bool({ default: false, summary: "The broker keeps a set value for devices that come later" }),
};

export type Connection = Settings<typeof connectionFields>;
export type Address = Settings<typeof addressFields>;
export type Visitor = Settings<typeof visitorFields>;

function filterPattern(): string {
  const level = `(?:[^$/#+\\u0000]|\\$(?!\\{)|\\$\\{(?:${topicNames.join("|")})\\})*`;
  const levelOrOne = `(?:\\+|${level})`;
  return `^(?!$)(?:#|${levelOrOne}(?:/${levelOrOne})*(?:/#)?)$`;
}
