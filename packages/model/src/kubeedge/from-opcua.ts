import { limits } from "../limits.ts";
import type { LineSpec } from "../resources/line.ts";
import { formatDuration } from "../time.ts";
import type { Fields } from "./fields.ts";

/** By the names of OPC UA 1.05 Part 7, 6.6, as the mapper has them. */
const policies = [
  "None",
  "Basic256Sha256",
  "Aes128_Sha256_RsaOaep",
  "Aes256_Sha256_RsaPss",
  "Basic256",
  "Basic128Rsa15",
] as const;
const modes = ["None", "Sign", "SignAndEncrypt"] as const;
const nodeIdPattern = /^(ns=\d{1,5};|nsu=[^;]+;)?[isgb]=[\s\S]+$/;

/**
 * How KubeEdge's OPC UA settings are told in ours: v1alpha1 and v1alpha2 `opcua`, and the same names in v1beta1's configData.
 * Paths of files are those of the gateway, there as here.
 */
export function takeOpcuaPlace(config: Fields, common: Fields | null) {
  const settings: Record<string, unknown> = {};
  const url = config.text("url");
  if (url !== undefined) settings.url = url;
  const user = config.text("userName") ?? config.text("user");
  if (user !== undefined) settings.user = user;
  Object.assign(settings, takePassword(config, user), takeSecurity(config), takeCertificate(config, user));
  if (common?.has("customizedValues") === true) tellServerCertificate(common.child("customizedValues"));
  return { settings, address: {}, line: takeTimeout(config) };
}

/** Of a v1alpha2 device KubeEdge's mapper reads the password from a file; ours takes the password itself. */
function takePassword(config: Fields, user: string | undefined): { password?: string } {
  const password = config.text("password");
  if (password === undefined) return {};
  const lose = (why: string, todo: string) => {
    config.tell("password", { level: "lossy", why, todo });
    return {};
  };
  if (user === undefined)
    return lose("there is no userName that it belongs to", "state settings.user and settings.password");
  if (password.startsWith("/"))
    return lose(
      "names a file with the password: it is not read from there",
      "state settings.password of the connection",
    );
  return { password };
}

/** Without regard to case and to what stands between the words. */
function wordOf<W extends string>(words: readonly W[], given: string): W | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return words.find((word) => plain(word) === plain(given.slice(given.lastIndexOf("#") + 1)));
}

function takeSecurity(config: Fields): { policy?: string; mode?: string } {
  const given = config.text("securityPolicy");
  const policy = given === undefined || given === "" ? undefined : wordOf(policies, given);
  if (given !== undefined && given !== "" && policy === undefined) {
    const why = `must be one of ${policies.join(", ")}: None is taken`;
    config.tell("securityPolicy", { level: "lossy", why, todo: "state settings.policy" });
  }
  const isSecure = policy !== undefined && policy !== "None";
  const givenMode = config.text("securityMode");
  const mode = givenMode === undefined || givenMode === "" ? undefined : wordOf(modes, givenMode);
  const secured = mode === "Sign" || mode === "SignAndEncrypt";
  const tell = (why: string) =>
    config.tell("securityMode", { level: "lossy", why, todo: "state settings.policy and mode" });
  if (givenMode !== undefined && givenMode !== "" && mode === undefined) tell(`must be one of ${modes.join(", ")}`);
  else if (isSecure && mode === "None") tell(`contradicts securityPolicy ${policy}: SignAndEncrypt is taken`);
  else if (!isSecure && secured) tell("takes effect with a security policy only: the line is not secured");
  return { ...(policy !== undefined && { policy }), ...(isSecure && secured && { mode }) };
}

/** KubeEdge's one certificate secures the line, and says who we are where no user name does. Our line has one of its own. */
function takeCertificate(config: Fields, user: string | undefined): { userCertificate?: string; userKey?: string } {
  const [certificate, key] = [config.text("certificate"), config.text("privateKey")];
  if (user === undefined && certificate !== undefined && key !== undefined) {
    const why = "kept as who logs in; the line itself is secured by a certificate that the gateway makes";
    config.tell("certificate", { level: "note", why, todo: "let the server trust the gateway's certificate" });
    return { userCertificate: certificate, userKey: key };
  }
  const isLogin = user !== undefined;
  const why = isLogin
    ? "the line is secured by a certificate that the gateway makes, and userName says who logs in: left out"
    : "a certificate and its private key go together: left out";
  const todo = isLogin
    ? "let the server trust the gateway's certificate"
    : "state settings.userCertificate and userKey";
  for (const [field, value] of Object.entries({ certificate, privateKey: key }))
    if (value !== undefined) config.tell(field, { level: "lossy", why, todo });
  return {};
}

/** What has no field is kept in custom as a whole; of this field people should know more. */
function tellServerCertificate(values: Fields): void {
  const why = "kept in custom: which servers are trusted is said at the gateway, by the certificate itself";
  if (values.has("remoteCertificate"))
    values.tell("remoteCertificate", { level: "note", why, todo: "penstock edge trust opcua" });
  for (const key of values.left()) values.take(key);
}

/** Seconds, for the whole connection. */
function takeTimeout(config: Fields): LineSpec {
  const seconds = config.number("timeout");
  if (seconds === undefined) return {};
  const ms = Math.round(seconds * 1000);
  const kept = Math.min(limits.lineTimeoutMaxMs, Math.max(limits.lineTimeoutMinMs, ms));
  const text = formatDuration(kept);
  if (kept === ms) config.tell("timeout", { level: "note", why: `is in seconds: taken as ${text}` });
  else config.tell("timeout", { level: "lossy", why: `is in seconds, and out of bounds: taken as ${text}` });
  return { timeout: text, connectTimeout: text };
}

/** @returns null when it names no node that we could read */
export function takeOpcuaVisitor(config: Fields): Record<string, unknown> | null {
  const nodeId = config.text("nodeID") ?? config.text("nodeId");
  const browseName = config.text("browseName");
  if (browseName !== undefined && nodeId !== undefined)
    config.tell("browseName", { level: "note", why: "the node id says where the value lies: left out" });
  if (nodeId !== undefined && nodeIdPattern.test(nodeId)) return { nodeId };
  const todo =
    browseName === undefined ? "state visitor.nodeId" : "find the node by penstock browse, and state visitor.nodeId";
  const why =
    nodeId === undefined ? "is missing: a value is found by its node id" : "must look like ns=2;s=Temperature";
  config.tell("nodeID", { level: "lossy", why, todo });
  return null;
}
