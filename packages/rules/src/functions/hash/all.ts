import type { ScalarFunction } from "../define-function.ts";
import { crc32 } from "./crc32.ts";
import { md5 } from "./md5.ts";
import { sha1 } from "./sha1.ts";
import { sha256 } from "./sha256.ts";
import { sha384 } from "./sha384.ts";
import { sha512 } from "./sha512.ts";

export const hashFunctions: readonly ScalarFunction[] = [crc32, md5, sha1, sha256, sha384, sha512];
