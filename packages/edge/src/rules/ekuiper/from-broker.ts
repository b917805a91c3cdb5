import type { Props } from "./props.ts";

export interface Broker {
  url: string;
  user?: string;
  password?: string;
}

const schemes: Readonly<Record<string, "mqtt" | "mqtts">> = {
  tcp: "mqtt",
  mqtt: "mqtt",
  ssl: "mqtts",
  tls: "mqtts",
  mqtts: "mqtts",
};

/**
 * The broker of a source or sink. What names the gateway's own one, or none at all, is the gateway's own.
 *
 * @returns null: the gateway's own
 */
export function brokerOf(props: Props, own: ReadonlySet<string>): Broker | null {
  for (const name of ["clientId", "protocolVersion"]) props.note(name, "the gateway chooses it");
  for (const name of [
    "certificationPath",
    "privateKeyPath",
    "rootCaPath",
    "certificationRaw",
    "privateKeyRaw",
    "rootCaRaw",
  ])
    props.refuseIfSet(name, "certificates of a client are not offered");
  for (const name of ["insecureSkipVerify", "tlsMinVersion", "renegotiationSupport"])
    props.lose(name, "certificates are always checked, with TLS 1.2 or newer");
  const user = props.text("username");
  const password = props.text("password");
  const server = props.text("server");
  if (server === undefined || server === "") return null;
  const match = /^([a-z]+):\/\/([^\s@/?#]+)\/?$/i.exec(server);
  const scheme = schemes[match?.[1]?.toLowerCase() ?? ""];
  if (scheme === undefined) {
    props.refuse("server", "must be tcp://HOST:PORT or ssl://HOST:PORT");
    return null;
  }
  const host = match![2]!;
  const full = /:\d+$/.test(host) ? host : `${host}:${scheme === "mqtt" ? 1883 : 8883}`;
  if (own.has(full)) return null;
  return {
    url: `${scheme}://${full}`,
    ...(user !== undefined && user !== "" && { user }),
    ...(password !== undefined && password !== "" && { password }),
  };
}
