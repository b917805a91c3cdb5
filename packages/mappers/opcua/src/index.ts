import { defineMapper } from "@penstock/mapper-sdk";
import { addressFields, connectionFields, methodFields, visitorFields } from "./fields.ts";

export const opcua = defineMapper({
  name: "opcua",
  summary: "Reads, writes, subscribes to and calls nodes of OPC UA servers",
  version: "0.1.0",
  connection: connectionFields,
  address: addressFields,
  visitor: visitorFields,
  method: methodFields,
  rules: [
    {
      when: { field: "connection.user", in: [null] },
      refuse: ["connection.password"],
      because: "a password belongs to a user",
    },
    {
      when: { field: "connection.userCertificate", in: [null] },
      refuse: ["connection.userKey"],
      because: "a key belongs to a user's certificate",
    },
    {
      when: { field: "connection.userKey", in: [null] },
      refuse: ["connection.userCertificate"],
      because: "a user's certificate needs its key",
    },
    {
      when: { field: "visitor.deadband", in: [null] },
      unless: { field: "visitor.deadbandKind", in: ["absolute"] },
      require: ["visitor.deadband"],
      because: "deadbandKind says what deadband counts in",
    },
    {
      when: { field: "visitor.event", in: [null] },
      refuse: ["visitor.eventType"],
      because: "an event type belongs to event fields",
    },
  ],
  subscribes: true,
  browses: true,
  // The library takes most of a second to load, which no reader of settings should pay.
  open: async (connection, context) => (await import("./open-connection.ts")).openConnection(connection, context),
});
