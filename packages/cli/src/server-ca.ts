import { createHash } from "node:crypto";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { AppError } from "@penstock/model";

/**
 * The CA at the root of the chain that a server shows, before anything is believed of it: nothing is sent.
 *
 * @returns sha256 in hex of the CA certificate's DER, as join tokens carry it; isKnown when the system trusts the chain
 * @throws AppError link/closed when nobody answers
 */
export function fetchServerCa(
  server: string,
): Promise<{ readonly caPem: string; readonly sha256: string; readonly isKnown: boolean }> {
  const url = new URL(server);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: url.hostname,
      port: Number(url.port || 443),
      servername: url.hostname,
      rejectUnauthorized: false,
      timeout: 10_000,
    });
    socket.once("secureConnect", () => {
      let certificate: DetailedPeerCertificate = socket.getPeerCertificate(true);
      const isKnown = socket.authorized;
      // A self-signed certificate is its own issuer.
      while (
        certificate.issuerCertificate !== undefined &&
        certificate.issuerCertificate.fingerprint256 !== certificate.fingerprint256
      ) {
        certificate = certificate.issuerCertificate;
      }
      socket.destroy();
      const base64 = certificate.raw
        .toString("base64")
        .replaceAll(/(.{64})/g, "$1\n")
        .trimEnd();
      resolve({
        caPem: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
        sha256: createHash("sha256").update(certificate.raw).digest("hex"),
        isKnown,
      });
    });
    const fail = (cause: Error) => {
      socket.destroy();
      reject(new AppError("link/closed", `No answer from ${server}: ${cause.message}`, { cause }));
    };
    socket.once("timeout", () => fail(new Error("nothing came within 10 s")));
    socket.once("error", fail);
  });
}
