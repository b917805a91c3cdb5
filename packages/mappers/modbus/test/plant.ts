import { ConformanceServer } from "@penstock/mapper-sdk";

/** What a case's plant.json says of one unit. An address that stands nowhere is refused with exception 2. */
export interface UnitMemory {
  /** first address → words or bits from there */
  readonly coil?: Readonly<Record<string, readonly number[]>>;
  readonly discrete?: Readonly<Record<string, readonly number[]>>;
  readonly input?: Readonly<Record<string, readonly number[]>>;
  readonly holding?: Readonly<Record<string, readonly number[]>>;
  /** answers every request with this exception */
  readonly exception?: number;
  /** functions that it does not have */
  readonly lacks?: readonly number[];
  /** accepts writes and keeps what it held */
  readonly ignoresWrites?: boolean;
  /** answers nothing */
  readonly isSilent?: boolean;
}
export type PlantMemory = Readonly<Record<string, UnitMemory>>;

type Area = Map<number, number>;
const tableOf: Readonly<Record<number, "coil" | "discrete" | "input" | "holding">> = {
  1: "coil",
  2: "discrete",
  3: "holding",
  4: "input",
  5: "coil",
  6: "holding",
  15: "coil",
  16: "holding",
  22: "holding",
  23: "holding",
};

/** A small Modbus TCP server with its own encoder, so that one bug of the mapper cannot hide on both ends. */
export function plant(memory: PlantMemory): ConformanceServer {
  const areas = new Map<string, Area>();
  for (const [unit, tables] of Object.entries(memory)) {
    for (const table of ["coil", "discrete", "input", "holding"] as const) {
      const area: Area = new Map();
      for (const [first, values] of Object.entries(tables[table] ?? {})) {
        for (const [i, value] of values.entries()) area.set(Number(first) + i, value);
      }
      areas.set(`${unit}/${table}`, area);
    }
  }
  const server = new ConformanceServer((bytes) => {
    const length = 6 + (bytes[4] ?? 0) * 256 + (bytes[5] ?? 0);
    return bytes.length >= 6 && bytes.length >= length ? length : 0;
  });
  server.behaviour = (request, socket) => {
    const unit = request[6]!;
    const known = memory[String(unit)];
    if (known?.isSilent === true) return;
    const pdu = request.subarray(7);
    const answer = known === undefined ? exception(pdu, 11) : answerTo(pdu, { areas, unit, known });
    const counted = answer.length + 1;
    socket.write(Uint8Array.of(request[0]!, request[1]!, 0, 0, counted >> 8, counted & 255, unit, ...answer));
  };
  return server;
}

function answerTo(
  pdu: Uint8Array,
  plant: { areas: ReadonlyMap<string, Area>; unit: number; known: UnitMemory },
): number[] {
  const [code = 0] = pdu;
  const table = tableOf[code];
  const area = plant.areas.get(`${plant.unit}/${table}`);
  const { exception: refuses, lacks = [], ignoresWrites = false } = plant.known;
  if (refuses !== undefined) return exception(pdu, refuses);
  if (area === undefined || lacks.includes(code)) return exception(pdu, 1);
  const word = (at: number) => pdu[at]! * 256 + pdu[at + 1]!;
  const start = word(1);
  const isSingle = code === 5 || code === 6 || code === 22;
  const count = isSingle ? 1 : word(3);
  const places = Array.from({ length: count }, (_, i) => start + i);
  if (places.some((place) => !area.has(place))) return exception(pdu, 2);
  const read = () => [count * 2, ...places.flatMap((place) => [area.get(place)! >> 8, area.get(place)! & 255])];
  if (code === 22) {
    // 6.16: (register AND and) OR (or AND NOT and)
    area.set(start, (area.get(start)! & word(3)) | (word(5) & ~word(3)));
    return [...pdu];
  }
  if (code === 23) {
    const written = word(5);
    for (let i = 0; i < word(7) && !ignoresWrites; i++) area.set(written + i, word(10 + i * 2));
    return [code, ...read()];
  }
  if (isSingle) {
    area.set(start, code === 5 ? (pdu[3] === 0xff ? 1 : 0) : word(3));
    return [...pdu];
  }
  if (code > 4) {
    for (const [i, place] of places.entries()) {
      area.set(place, code === 15 ? (pdu[6 + Math.floor(i / 8)]! >> (i % 8)) % 2 : word(6 + i * 2));
    }
    return [...pdu.subarray(0, 5)];
  }
  if (code > 2) return [code, ...read()];
  const bytes = Array.from({ length: Math.ceil(count / 8) }, (_, byte) =>
    places.slice(byte * 8, byte * 8 + 8).reduce((sum, place, bit) => sum + area.get(place)! * 2 ** bit, 0),
  );
  return [code, bytes.length, ...bytes];
}

function exception(pdu: Uint8Array, reason: number): number[] {
  return [pdu[0]! + 128, reason];
}
