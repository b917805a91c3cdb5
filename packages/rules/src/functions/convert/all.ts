import type { ScalarFunction } from "../define-function.ts";
import { cast } from "./cast.ts";
import { chr } from "./chr.ts";
import { compress } from "./compress.ts";
import { dec2hex } from "./dec2hex.ts";
import { decode } from "./decode.ts";
import { decompress } from "./decompress.ts";
import { encode } from "./encode.ts";
import { hex2dec } from "./hex2dec.ts";

export const convertFunctions: readonly ScalarFunction[] = [
  ...[cast, chr, compress, dec2hex, decode, decompress, encode, hex2dec],
];
