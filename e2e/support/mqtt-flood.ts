import { connect } from "mqtt";

/** Publishes to a topic as fast as it can: address, user, password and topic are its arguments. Ends with its standard input. */
const [address, username, password, topic] = process.argv.slice(2);
const client = connect(address!, { username: username!, password: password!, reconnectPeriod: 50 });
const payload = JSON.stringify({ a: 1, text: "x".repeat(200) });
client.on("error", () => {});
const flood = () => {
  for (let at = 0; at < 200 && client.connected; at++) client.publish(topic!, payload);
  setImmediate(flood);
};
client.once("connect", flood);
process.stdin.on("end", () => process.exit(0)).resume();
