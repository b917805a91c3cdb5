// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of paths and bodies have placeholders of that shape
import { bool, int, list, oneOf, payloadFields, pemPattern, type Settings, secret, text } from "@penstock/mapper-sdk";

const pem = { maxLength: 65_536, pattern: pemPattern } as const;
// RFC 9110, 5.1 and 5.5: a token, then visible characters; those that we set ourselves are not to be set
const ours = ["host", "content-length", "transfer-encoding", "connection", "authorization", "content-encoding"];
const inAnyCase = (name: string) => name.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
const header = `^(?!(?:${ours.map(inAnyCase).join("|")}):)[\\w!#$%&'*+.^\`|~-]+: ?[\\x20-\\x7e]*$`;

export const connectionFields = {
  url: text({
    pattern:
      "^https?://[^\\s/@?#:\\[\\]]+(:\\d{1,5})?(/[^\\s?#]*)?$|^https?://\\[[0-9a-fA-F:]+\\](:\\d{1,5})?(/[^\\s?#]*)?$",
    example: "http://10.0.4.40/api",
    summary: "Where all paths begin, as seen from the gateway",
  }),
  headers: list(text({ maxLength: 4096, pattern: header, example: "Accept-Language: en" }), {
    optional: true,
    maxItems: 32,
    summary: "Sent with every request, as `Name: value`",
  }),
  secretHeader: { ...secret({ summary: "One more, such as `X-Api-Key: …`, which is never shown", maxLength: 4096 }) },
  user: text({ optional: true, maxLength: 256, summary: "For basic authentication" }),
  password: secret({ summary: "Password of `user`" }),
  bearerToken: secret({ summary: "For bearer authentication, instead of a user", maxLength: 4096 }),
  ca: text({
    ...pem,
    optional: true,
    summary:
      "CA that signed the device's certificate: PEM, or a file in the mapper's folder; the usual ones when missing",
  }),
  certificate: text({
    ...pem,
    optional: true,
    summary: "Our own certificate, if the device wants one: PEM, or a file",
  }),
  privateKey: secret({ maxLength: 65_536, summary: "Its key: PEM, or better a file in the mapper's folder" }),
  redirects: int({ min: 0, max: 10, default: 3, summary: "How many in a row are followed when reading" }),
  otherOrigins: bool({
    default: false,
    summary: "Redirects may lead to another host or port; passwords, tokens and headers do not go there",
  }),
  keepAlive: bool({
    default: true,
    summary: "false: a new connection for each request, for devices that cannot keep one",
  }),
};

export const addressFields = {
  name: text({
    optional: true,
    maxLength: 256,
    summary: "Stands for ${name} in the paths of this device, so that many equal devices differ in one word",
  }),
};

export const pathNames = ["device", "name", "property"] as const;
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

export const visitorFields = {
  resource: text({
    optional: true,
    pattern: resourcePattern(pathNames),
    example: "/status?room=${name}",
    summary: "What is read, below `url`; properties with the same one are one request a cycle",
  }),
  method: oneOf(["GET", "POST"], { default: "GET", summary: "How it is read" }),
  body: text({ optional: true, maxLength: 65_536, summary: "Sent with POST" }),
  ...payloadFields(),
  pattern: text({
    optional: true,
    maxLength: 256,
    pattern: "^\\^",
    example: "^\\s*[A-Za-z ]{1,40}: ?([0-9.]{1,12})",
    summary: "For format text: a regular expression whose first group is the value. Begins with ^, at most one * or +",
  }),
  setResource: text({
    optional: true,
    pattern: resourcePattern([...pathNames, "text"]),
    example: "/relay/0?turn=${text}",
    summary: "Where a set value goes, below `url`; ${text} is the value",
  }),
  setMethod: oneOf([...methods], { default: "PUT", summary: "How it goes there; GET and DELETE have no body" }),
  template: text({
    optional: true,
    maxLength: 4096,
    example: '{"state": ${value}}',
    summary:
      "Body of a set value: ${value} is it as JSON, ${text} bare and within quotes; the value alone when missing",
  }),
  contentType: text({
    optional: true,
    maxLength: 128,
    pattern: "^[\\w!#$&^.+-]+/[\\w!#$&^.+-]+(; ?[\\w-]+=[\\w.-]+)*$",
    summary: "Of the body; follows from the format when missing",
  }),
};

export type Connection = Settings<typeof connectionFields>;
export type Address = Settings<typeof addressFields>;
export type Visitor = Settings<typeof visitorFields>;

/** A path and query; never another host, which `//` would begin. */
function resourcePattern(names: readonly string[]): string {
  return `^/(?!/)(?:[^\\s$#\\\\]|\\$(?!\\{)|\\$\\{(?:${names.join("|")})\\})*$`;
}
