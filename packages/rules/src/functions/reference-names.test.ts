import assert from "node:assert/strict";
import { test } from "node:test";
import { unsupported } from "../unsupported.ts";
import { aggregateFunctions } from "./aggregate/all.ts";
import { analyticFunctions } from "./analytic/all.ts";
import { scalarFunctions } from "./registry.ts";
import { rowsFunctions } from "./rows/all.ts";
import { surroundingFunctions } from "./surroundings.ts";

/** Every function that eKuiper 2.x has built in, by its names. */
const names = `
  avg count sum min max collect deduplicate last_value median merge_agg percentile_cont percentile percentile_disc stddev
  stddevs var vars last_agg_hit_count last_agg_hit_time
  acc_avg acc_count acc_max acc_min acc_sum
  lag latest changed_col had_changed changed_cols unnest extract row_number
  abs acos asin atan atan2 bitand bitor bitxor bitnot ceil ceiling conv cos cosh cot degrees exp floor ln log mod pi pow
  power radians rand round sign sin sinh sqrt tan tanh
  concat endswith startswith format indexof length lower upper lpad rpad ltrim rtrim trim numbytes regexp_matches
  regexp_replace regexp_substr reverse split_value substring
  now cur_date cur_time current_date current_time current_timestamp local_time local_timestamp date_calc date_diff day
  day_name day_of_month day_of_week day_of_year format_time from_days from_unix_time hour last_day microsecond minute month
  month_name second tstamp event_time convert_tz to_seconds
  array_cardinality array_concat array_contains array_contains_any array_create array_distinct array_except array_flatten
  array_intersect array_join array_last_position array_map array_max array_min array_position array_remove array_shuffle
  array_sort array_union element_at kvpair_array_to_obj repeat sequence cardinality
  keys values items zip object object_construct object_concat object_pick object_size erase obj_to_kvpair_array
  md5 sha1 sha256 sha384 sha512 crc32
  cast chr encode decode compress decompress hex2dec dec2hex trunc to_json parse_json
  json_path_exists json_path_query json_path_query_first
  isnull coalesce newuuid meta mqtt rule_id rule_start window_start window_end window_trigger last_hit_count last_hit_time
  get_keyed_state delay props bypass
`
  .trim()
  .split(/\s+/);

test("every function of the dialect is there, and none is in two lists", () => {
  const lists = [aggregateFunctions, analyticFunctions, scalarFunctions, rowsFunctions].map((one) => [...one.keys()]);
  const known = [...lists.flat(), ...surroundingFunctions.map(({ name }) => name)];
  assert.deepEqual(
    names.filter((name) => !known.includes(name)),
    [],
  );
  assert.equal(new Set(known).size, known.length);
  assert.ok(names.length >= 180, `${names.length}`);
});

test("what is not supported is at most ten things, each with its reason", () => {
  assert.ok(unsupported.length <= 10, `${unsupported.length}`);
  for (const { what, why } of unsupported) assert.ok(what.length > 0 && why.length > 20, what);
});
