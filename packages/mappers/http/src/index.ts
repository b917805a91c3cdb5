import { defineMapper, payloadRules } from "@penstock/mapper-sdk";
import { HttpConnection } from "./connection.ts";
import { addressFields, connectionFields, visitorFields } from "./fields.ts";

export const httpDevices = defineMapper({
  name: "http",
  summary: "Reads and writes devices that answer HTTP requests, with JSON, text or bytes",
  version: "0.1.0",
  connection: connectionFields,
  address: addressFields,
  visitor: visitorFields,
  rules: [
    ...payloadRules(),
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
      when: { field: "visitor.resource", in: [null] },
      require: ["visitor.setResource"],
      access: ["write"],
      refuse: ["visitor.method", "visitor.body", "visitor.pattern"],
      because: "without a resource nothing can be read",
    },
    {
      when: { field: "visitor.setResource", in: [null] },
      access: ["read"],
      refuse: ["visitor.setMethod", "visitor.template", "visitor.contentType"],
      because: "without a setResource nothing can be set",
    },
    {
      when: { field: "visitor.method", in: ["GET"] },
      refuse: ["visitor.body"],
      because: "GET has no body",
    },
    {
      when: { field: "visitor.setMethod", in: ["GET", "DELETE"] },
      refuse: ["visitor.template", "visitor.contentType"],
      because: "GET and DELETE have no body",
    },
    {
      when: { field: "visitor.format", in: ["json", "bytes"] },
      refuse: ["visitor.pattern"],
      because: "only a text is searched",
    },
  ],
  open: (connection, context) => HttpConnection.open(connection, context),
});
