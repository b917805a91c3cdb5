import type { ScalarFunction } from "../define-function.ts";
import { abs } from "./abs.ts";
import { acos } from "./acos.ts";
import { asin } from "./asin.ts";
import { atan } from "./atan.ts";
import { atan2 } from "./atan2.ts";
import { bitand } from "./bitand.ts";
import { bitnot } from "./bitnot.ts";
import { bitor } from "./bitor.ts";
import { bitxor } from "./bitxor.ts";
import { ceil } from "./ceil.ts";
import { conv } from "./conv.ts";
import { cos } from "./cos.ts";
import { cosh } from "./cosh.ts";
import { cot } from "./cot.ts";
import { degrees } from "./degrees.ts";
import { exp } from "./exp.ts";
import { floor } from "./floor.ts";
import { ln } from "./ln.ts";
import { log } from "./log.ts";
import { mod } from "./mod.ts";
import { pi } from "./pi.ts";
import { power } from "./power.ts";
import { radians } from "./radians.ts";
import { rand } from "./rand.ts";
import { round } from "./round.ts";
import { sign } from "./sign.ts";
import { sin } from "./sin.ts";
import { sinh } from "./sinh.ts";
import { sqrt } from "./sqrt.ts";
import { tan } from "./tan.ts";
import { tanh } from "./tanh.ts";
import { trunc } from "./trunc.ts";

export const mathFunctions: readonly ScalarFunction[] = [
  ...[abs, acos, asin, atan, atan2, bitand, bitnot, bitor, bitxor, ceil, conv, cos, cosh, cot, degrees, exp, floor, ln],
  ...[log, mod, pi, power, radians, rand, round, sign, sin, sinh, sqrt, tan, tanh, trunc],
];
