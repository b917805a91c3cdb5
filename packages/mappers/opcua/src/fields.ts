import { float, int, list, oneOf, type Settings, text } from "@penstock/mapper-sdk";

/** By the names of OPC UA 1.05 Part 7, 6.6; the first is no security. */
export const policies = [
  "None",
  "Basic256Sha256",
  "Aes128_Sha256_RsaOaep",
  "Aes256_Sha256_RsaPss",
  "Basic256",
  "Basic128Rsa15",
] as const;

export const eventFields = ["EventId", "EventType", "SourceName", "Time", "Message", "Severity"] as const;

const password = text({ optional: true, summary: "Password of `user`" });

export const connectionFields = {
  url: text({
    pattern: "^opc\\.tcp://[^\\s/:\\[\\]]+(:\\d{1,5})?(/\\S*)?$|^opc\\.tcp://\\[[0-9a-fA-F:]+\\](:\\d{1,5})?(/\\S*)?$",
    example: "opc.tcp://10.0.4.20:4840",
    summary: "Address of the server, as seen from the gateway; used as it stands, whatever the server calls itself",
  }),
  policy: oneOf([...policies], {
    default: "None",
    summary: "Security policy; Basic256 and Basic128Rsa15 are obsolete and only for old servers",
  }),
  mode: oneOf(["Sign", "SignAndEncrypt"], { default: "SignAndEncrypt", summary: "Takes effect with a policy only" }),
  user: text({ optional: true, maxLength: 256, summary: "User name; without it and without a certificate: anonymous" }),
  password: { ...password, schema: { ...password.schema, format: "password", minLength: 0 } },
  userCertificate: text({
    optional: true,
    summary: "File at the gateway with the user's X.509 certificate, PEM or DER",
  }),
  userKey: text({ optional: true, summary: "File at the gateway with its private key, PEM" }),
  holdMs: int({
    min: 1000,
    max: 3_600_000,
    default: 60_000,
    unit: "ms",
    summary: "How long the server is asked to keep session and subscriptions for us while the line is cut",
  }),
};

export const addressFields = {
  place: text({
    optional: true,
    maxLength: 256,
    example: "Press-3",
    summary: "Stands for {place} in the node ids of this device, so that many equal devices differ in one word",
  }),
};

const nodeIdSummary =
  "Node id: i=2258, ns=2;s=Temperature, ns=4;g=…, ns=3;b=…, or with the namespace's name instead of its number, " +
  "nsu=http://vendor.com/plc;s=Temperature, which stays right when the server numbers its namespaces anew";

export const visitorFields = {
  nodeId: text({
    maxLength: 4096,
    pattern: "^(ns=\\d{1,5};|nsu=[^;]+;)?[isgb]=[\\s\\S]+$",
    example: "ns=2;s=Temperature",
    summary: nodeIdSummary,
  }),
  indexRange: text({
    optional: true,
    pattern: "^\\d{1,10}(:\\d{1,10})?(,\\d{1,10}(:\\d{1,10})?)*$",
    example: "0:9",
    summary: "Part of an array or text",
  }),
  publishing: int({
    min: 10,
    max: 3_600_000,
    default: 500,
    unit: "ms",
    summary: "Subscribed: how often the server sends what has changed",
  }),
  sampling: int({
    min: 0,
    max: 3_600_000,
    optional: true,
    unit: "ms",
    summary:
      "Subscribed: how often the server looks for a change; 0 is as fast as it can; as `publishing` when missing",
  }),
  queue: int({
    min: 1,
    max: 100_000,
    default: 100,
    summary: "Subscribed: changes that the server keeps, between two messages and while the line is cut",
  }),
  discard: oneOf(["oldest", "newest"], { default: "oldest", summary: "What goes when that queue is full" }),
  deadband: float({ min: 0, optional: true, summary: "Subscribed: smaller changes are not told" }),
  deadbandKind: oneOf(["absolute", "percent"], {
    default: "absolute",
    summary: "percent is of the range that the server states for the node (EURange)",
  }),
  event: list(text({ maxLength: 256, example: "Message" }), {
    optional: true,
    maxItems: 64,
    summary:
      "The node's events instead of its value: these fields of each as one json object, such as " +
      `${eventFields.join(", ")}; a field of a field as Name/Name`,
  }),
  eventType: text({
    optional: true,
    maxLength: 4096,
    pattern: "^(ns=\\d{1,5};|nsu=[^;]+;)?[isgb]=[\\s\\S]+$",
    example: "i=2915",
    summary: "Only events of this type and those derived from it",
  }),
};

export const methodFields = {
  nodeId: text({ maxLength: 4096, pattern: "^(ns=\\d{1,5};|nsu=[^;]+;)?[isgb]=[\\s\\S]+$", summary: "The method" }),
  objectId: text({
    maxLength: 4096,
    pattern: "^(ns=\\d{1,5};|nsu=[^;]+;)?[isgb]=[\\s\\S]+$",
    summary: "The object that it is called on",
  }),
};

export type ConnectionSettings = Settings<typeof connectionFields>;
export type Address = Settings<typeof addressFields>;
export type Visitor = Settings<typeof visitorFields>;
export type Method = Settings<typeof methodFields>;
