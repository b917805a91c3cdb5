import type { ScalarFunction } from "../define-function.ts";
import { erase } from "./erase.ts";
import { items } from "./items.ts";
import { keys } from "./keys.ts";
import { objToKvpairArray } from "./obj-to-kvpair-array.ts";
import { object } from "./object.ts";
import { objectConcat } from "./object-concat.ts";
import { objectConstruct } from "./object-construct.ts";
import { objectPick } from "./object-pick.ts";
import { objectSize } from "./object-size.ts";
import { values } from "./values.ts";
import { zip } from "./zip.ts";

export const structFunctions: readonly ScalarFunction[] = [
  ...[erase, items, keys, objToKvpairArray, objectConcat, objectConstruct],
  ...[objectPick, objectSize, object, values, zip],
];
