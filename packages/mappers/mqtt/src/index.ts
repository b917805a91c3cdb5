import { defineMapper, payloadRules } from "@penstock/mapper-sdk";
import { MqttConnection } from "./connection.ts";
import { addressFields, connectionFields, visitorFields } from "./fields.ts";

export const mqttDevices = defineMapper({
  name: "mqtt",
  summary: "Takes values that devices publish to an MQTT broker, and publishes what is set",
  version: "0.1.0",
  connection: connectionFields,
  address: addressFields,
  visitor: visitorFields,
  rules: [
    ...payloadRules(),
    {
      when: { field: "connection.cleanStart", in: [false] },
      require: ["connection.clientId"],
      because: "the broker keeps a session for a client that it knows by its id",
    },
    {
      when: { field: "connection.user", in: [null] },
      refuse: ["connection.password"],
      because: "a password belongs to a user",
    },
    {
      when: { field: "connection.certificate", in: [null] },
      refuse: ["connection.privateKey"],
      because: "a key belongs to a certificate",
    },
    {
      when: { field: "address.willTopic", in: [null] },
      refuse: ["address.willPath"],
      because: "nobody tells that the device is gone",
    },
    {
      when: { field: "visitor.topic", in: [null] },
      require: ["visitor.setTopic"],
      access: ["write"],
      refuse: ["visitor.time", "visitor.missing"],
      because: "without a topic nothing is told",
    },
    {
      when: { field: "visitor.setTopic", in: [null] },
      access: ["read"],
      refuse: ["visitor.template", "visitor.retain", "visitor.setQos"],
      because: "without a setTopic nothing can be set",
    },
    {
      when: { field: "visitor.format", in: ["text", "bytes"] },
      refuse: ["visitor.time"],
      because: "the device's time stands in JSON",
    },
  ],
  subscribes: true,
  open: (connection, context) => MqttConnection.open(connection, context),
});
