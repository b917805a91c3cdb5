import type { RuleSourceSpec } from "@penstock/model";
import { openFileSource } from "./file-source.ts";
import { openHttpSource } from "./http-source.ts";
import { openMqttSource } from "./mqtt-source.ts";
import type { Source, SourcesOptions, TakeRow } from "./source-parts.ts";

/**
 * What brings the rows of sources that are neither devices nor other rules. Rows come in their order, for at most half of
 * the time of each source; what waits beyond its bound is dropped, the oldest first, and counted.
 */
export function openSources(options: SourcesOptions) {
  return (spec: RuleSourceSpec, take: TakeRow): Source | null => {
    const { mqtt, http, file } = spec;
    const parts = { ...options, spec, take };
    if (mqtt !== undefined) return openMqttSource(mqtt, { ...parts, name: `mqtt ${mqtt.topic}` });
    if (http !== undefined) return openHttpSource(http, { ...parts, name: `http ${withoutSecrets(http.url)}` });
    return file === undefined ? null : openFileSource(file, { ...parts, name: `file ${file.name}` });
  };
}

function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
