import { hash, verify } from "@node-rs/argon2";

/** argon2id with 19 MiB, two passes, one lane. @source OWASP Password Storage Cheat Sheet (2024), argon2id minimum */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export function hashPassword(password: string): Promise<string> {
  return hash(password, cost);
}

/** Of no password anybody has: an unknown user costs as much time as a known one. */
const nobody = hash("", cost);

/** @param known  the stored hash; undefined = there is no such user */
export async function isPassword(password: string, known: string | undefined): Promise<boolean> {
  const isRight = await verify(known ?? (await nobody), password);
  return known !== undefined && isRight;
}
