import { setTimeout as wait } from "node:timers/promises";

const name = "penstock_bench";

/**
 * Messages a second that a running eKuiper takes through one rule, counted by itself.
 *
 * @param base  its REST address; it must reach the broker by the same `url`
 */
export async function ekuiperRate(
  base: string,
  options: {
    readonly sql: string;
    readonly topic: string;
    readonly url: string;
    readonly count: number;
    publish(): Promise<void>;
  },
): Promise<number> {
  const { sql, topic, url, count, publish } = options;
  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const answer = await fetch(new URL(path, base), { method, ...sent });
    const text = await answer.text();
    if (!answer.ok && method !== "DELETE") throw new Error(`eKuiper: ${method} ${path}: ${answer.status} ${text}`);
    return answer.ok && text.startsWith("{") ? JSON.parse(text) : text;
  };
  const clear = async () => {
    await ask("DELETE", `/rules/${name}`);
    await ask("DELETE", `/streams/${name}`);
  };
  await clear();
  try {
    const server = url.replace("mqtt://", "tcp://");
    const stream = `CREATE STREAM ${name} () WITH (DATASOURCE="${topic}", TYPE="mqtt", FORMAT="json", EXTRA='{"server":"${server}"}')`;
    await ask("POST", "/streams", { sql: stream });
    await ask("POST", "/rules", { id: name, sql: sql.replace("demo", name), actions: [{ nop: {} }] });
    // It starts in its own time, and tells nobody when it has subscribed.
    await wait(2000);
    const seen = async () => {
      const status = (await ask("GET", `/rules/${name}/status`)) as Record<string, number>;
      const key = Object.keys(status).find((one) => one.startsWith("source_") && one.endsWith("records_in_total"));
      return key === undefined ? 0 : Number(status[key]);
    };
    const began = performance.now();
    const published = publish();
    let known = 0;
    for (let last = performance.now(); known < count; known = await seen()) {
      if (performance.now() - last > 120_000) throw new Error(`eKuiper has taken ${known} of ${count} messages`);
      await wait(20);
    }
    await published;
    return (count / (performance.now() - began)) * 1000;
  } finally {
    await clear();
  }
}
