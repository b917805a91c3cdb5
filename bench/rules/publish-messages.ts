/** `publish-messages.ts URL TOPIC COUNT`: JSON messages as fast as the broker takes them. */
import { connectAsync } from "mqtt";

const [url, topic, count] = process.argv.slice(2);
const client = await connectAsync(url!, { protocolVersion: 4 });
const messages = Array.from({ length: 100 }, (_, at) => JSON.stringify({ temperature: at, humidity: 100 - at }));
for (let at = 0; at < Number(count); at++) {
  const sent = client.publishAsync(topic!, messages[at % messages.length]!, { qos: 0 });
  // What the socket has not taken waits in memory: look now and then.
  if (at % 500 === 0) await sent;
}
await client.endAsync();
