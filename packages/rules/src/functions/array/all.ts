import type { ScalarFunction } from "../define-function.ts";
import { arrayCardinality } from "./array-cardinality.ts";
import { arrayConcat } from "./array-concat.ts";
import { arrayContains } from "./array-contains.ts";
import { arrayContainsAny } from "./array-contains-any.ts";
import { arrayCreate } from "./array-create.ts";
import { arrayDistinct } from "./array-distinct.ts";
import { arrayExcept } from "./array-except.ts";
import { arrayFlatten } from "./array-flatten.ts";
import { arrayIntersect } from "./array-intersect.ts";
import { arrayJoin } from "./array-join.ts";
import { arrayLastPosition } from "./array-last-position.ts";
import { arrayMap } from "./array-map.ts";
import { arrayMax } from "./array-max.ts";
import { arrayMin } from "./array-min.ts";
import { arrayPosition } from "./array-position.ts";
import { arrayRemove } from "./array-remove.ts";
import { arrayShuffle } from "./array-shuffle.ts";
import { arraySort } from "./array-sort.ts";
import { arrayUnion } from "./array-union.ts";
import { cardinality } from "./cardinality.ts";
import { elementAt } from "./element-at.ts";
import { kvpairArrayToObj } from "./kvpair-array-to-obj.ts";
import { repeat } from "./repeat.ts";
import { sequence } from "./sequence.ts";

export const arrayFunctions: readonly ScalarFunction[] = [
  ...[arrayCardinality, arrayConcat, arrayContainsAny, arrayContains, arrayCreate, arrayDistinct],
  ...[arrayExcept, arrayFlatten, arrayIntersect, arrayJoin, arrayLastPosition, arrayMap],
  ...[arrayMax, arrayMin, arrayPosition, arrayRemove, arrayShuffle, arraySort],
  ...[arrayUnion, cardinality, elementAt, kvpairArrayToObj, repeat, sequence],
];
