import { defineMapper } from "@penstock/mapper-sdk";
import { addressFields, connectionFields, visitorFields } from "./fields.ts";

const modes = ["read", "notify", "indicate", "advertisement"] as const;
const linked = ["read", "notify", "indicate"] as const;
const anyMode = { field: "visitor.mode", in: modes };
const nobody = "an advertisement goes to everybody and takes nothing";

export const ble = defineMapper({
  name: "ble",
  summary: "Reads, writes and subscribes to characteristics of Bluetooth LE devices, and takes what they advertise",
  version: "0.1.0",
  connection: connectionFields,
  address: addressFields,
  visitor: visitorFields,
  rules: [
    {
      when: { field: "address.by", in: ["mac"] },
      require: ["address.mac"],
      because: "the device is known by its address",
    },
    {
      when: { field: "address.by", in: ["name"] },
      require: ["address.name"],
      because: "the device is known by its name",
    },
    {
      when: { field: "address.by", in: ["service"] },
      require: ["address.service"],
      because: "the device is known by a service",
    },
    {
      when: { field: "visitor.mode", in: linked },
      require: ["visitor.characteristic"],
      refuse: ["visitor.source", "visitor.company", "visitor.maxAge"],
      because: "the value lies in a characteristic",
    },
    {
      when: { field: "visitor.mode", in: ["advertisement"] },
      require: ["visitor.source"],
      refuse: ["visitor.characteristic", "visitor.reply"],
      access: ["read"],
      because: nobody,
    },
    {
      when: { field: "visitor.source", in: ["service"] },
      require: ["visitor.service"],
      because: "data of a service needs its UUID",
    },
    {
      when: { field: "visitor.source", in: ["rssi", "txPower", "name"] },
      refuse: ["visitor.start", "visitor.end", "visitor.raw", "visitor.words", "visitor.mask"],
      because: "it is no row of bytes",
    },
    {
      when: { field: "visitor.source", in: ["name"] },
      types: ["string"],
      because: "a name is text",
    },
    {
      when: anyMode,
      unless: { field: "visitor.shiftLeft", in: [null] },
      refuse: ["visitor.shiftRight"],
      because: "bits are shifted one way",
    },
    {
      when: { field: "visitor.raw", in: ["text", "bytes", "float32", "float64"] },
      refuse: ["visitor.mask", "visitor.shiftLeft", "visitor.shiftRight", "visitor.words"],
      because: "only whole numbers have bits to mask and shift",
    },
    {
      when: { field: "visitor.raw", in: ["text", "bytes"] },
      refuse: ["visitor.operations"],
      types: ["string", "bytes"],
      because: "arithmetic and numbers are not for text and bytes",
    },
    {
      when: { field: "visitor.raw", in: ["signed"] },
      refuse: ["visitor.mask"],
      because: "a field of bits has no sign",
    },
    {
      when: anyMode,
      unless: { field: "visitor.words", in: [null] },
      refuse: ["visitor.raw", "visitor.mask", "visitor.shiftLeft", "visitor.shiftRight", "visitor.operations"],
      types: ["string"],
      because: "words stand for bytes as they are",
    },
  ],
  subscribes: true,
  browses: true,
  permissions: ["network", "bluetooth"],
  open: async (connection, context) => (await import("./connection.ts")).openConnection(connection, context),
});
