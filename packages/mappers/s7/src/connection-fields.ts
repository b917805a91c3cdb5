import { int, oneOf, tcpFields, text } from "@penstock/mapper-sdk";

const tsap = { pattern: "^[0-9A-Fa-f]{2}\\.[0-9A-Fa-f]{2}$", maxLength: 5 } as const;

export const connectionFields = {
  ...tcpFields({ port: 102 }),
  rack: int({ min: 0, max: 7, default: 0, summary: "Of the CPU; 0 unless the PLC has several" }),
  slot: int({
    min: 0,
    max: 31,
    default: 1,
    summary: "Of the CPU: 1 in S7-1200 and S7-1500, 2 in S7-300, as configured in S7-400",
  }),
  connectionType: oneOf(["basic", "op", "pg"], {
    default: "basic",
    summary: "Which of the PLC's connections is taken: S7 basic, operator panel, programming device",
  }),
  localTsap: text({
    ...tsap,
    default: "01.00",
    example: "10.00",
    summary: "Of this end, two bytes in hexadecimal; LOGO! wants its own",
  }),
  remoteTsap: text({
    ...tsap,
    optional: true,
    example: "20.00",
    summary: "Of the PLC, two bytes in hexadecimal; instead of connectionType, rack and slot",
  }),
  pduSize: int({
    min: 240,
    max: 960,
    default: 960,
    summary: "Most bytes of a PDU that are asked for; the PLC may offer fewer (240 in S7-300 and S7-1200)",
  }),
};
