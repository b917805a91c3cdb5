import { defineMapper } from "@penstock/mapper-sdk";
// Loads the library, which takes a second or more: here, where a mapper's process has not said hello yet, and not in `open`,
// where it would answer no ping for so long.
import { OpcuaConnection } from "./connection.ts";
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
  // Its certificates, and those that it trusts, stand in its folder.
  permissions: ["network", "files"],
  open: OpcuaConnection.open,
});
