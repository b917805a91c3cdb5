import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { AppError } from "@penstock/model";
import { type UserIdentityInfo, UserTokenType } from "node-opcua-client";
import type { ConnectionSettings } from "./fields.ts";

/** Who we are to the server. @throws AppError mapper/connect-failed when a file cannot be used */
export async function identityOf(settings: ConnectionSettings): Promise<UserIdentityInfo> {
  const { user, password = "", userCertificate, userKey } = settings;
  if (userCertificate !== undefined && userKey !== undefined) {
    return {
      type: UserTokenType.Certificate,
      certificateData: Buffer.from((await certificateIn(userCertificate)).raw),
      privateKey: (await contentOf(userKey)).toString("utf8"),
    };
  }
  return user === undefined
    ? { type: UserTokenType.Anonymous }
    : { type: UserTokenType.UserName, userName: user, password };
}

async function certificateIn(path: string): Promise<X509Certificate> {
  try {
    return new X509Certificate(await contentOf(path));
  } catch (cause) {
    throw new AppError("mapper/connect-failed", `Cannot use user certificate "${path}": ${String(cause)}`, { cause });
  }
}

async function contentOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new AppError("mapper/connect-failed", `Cannot read "${path}": ${String(cause)}`, { cause });
  }
}
