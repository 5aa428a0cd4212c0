/** What a message says, as rows: pure, and without any opinion on where they are kept. */

/** A message as docs/MESSAGES.md has it. */
export interface Message {
  type: string;
  timestamp: string;
  data: Record<string, unknown>;
}

/** The newest word on a hotel, room type, plan, the rates of a plan, or a booking. */
export interface DocumentRow {
  kind: "hotel" | "room_type" | "plan" | "rates" | "booking";
  hotel_id: number;
  /** Its id within the hotel; empty for the hotel itself. */
  id: string;
  version: number;
  /** `data` without its version; null: it is deleted. The row stays, or an older message could revive it. */
  body: Record<string, unknown> | null;
}

/** Nights that are alike: from `first` to the day before `until`, hotel-local dates. */
export interface RangeRow {
  hotel_id: number;
  room_type_id: number;
  version: number;
  first: string;
  until: string;
  sellable: number;
  occupied: number;
  available: number;
}

/**
 * The data of a `hotel.snapshot`: what is held with this version or an older one, and is not listed, is gone. A list
 * that is null says nothing.
 */
export interface Snapshot {
  hotel_id: number;
  version: number;
  room_type_ids: number[] | null;
  plan_keys: string[] | null;
  bookings: { first: string; last: string; check_out_from: string; ids: string[] } | null;
}

/** All that one message says. */
export interface Rows {
  documents: DocumentRow[];
  ranges: RangeRow[];
  snapshot: Snapshot | null;
}

interface Availability {
  hotel_id: number;
  room_types: {
    room_type_id: number;
    version: number;
    ranges: { from: string; until: string; sellable: number; occupied: number; available: number }[];
  }[];
}

const ID_FIELDS = {
  hotel: null,
  room_type: "room_type_id",
  plan: "plan_key",
  rates: "plan_key",
  booking: "booking_id",
} as const;

/**
 * The rows that a message comes to. A type that is not known, such as a later Roomwire's, and `heartbeat` come to none.
 *
 * @throws TypeError if the message has not the form that its type asks for
 */
export function rows(message: Message): Rows {
  const [kind, event] = message.type.split(".");
  if (message.type === "availability.updated") return { ...NONE, ranges: ranges(message.data as unknown as Availability) };
  if (message.type === "hotel.snapshot") return { ...NONE, snapshot: message.data as unknown as Snapshot };
  if (isDocument(kind)) return { ...NONE, documents: [document(kind, event === "deleted", message.data)] };
  return NONE;
}

const NONE: Rows = { documents: [], ranges: [], snapshot: null };

function isDocument(kind: string | undefined): kind is DocumentRow["kind"] {
  return kind !== undefined && Object.hasOwn(ID_FIELDS, kind);
}

function document(kind: DocumentRow["kind"], deleted: boolean, data: Record<string, unknown>): DocumentRow {
  const { version, ...body } = data;
  const field = ID_FIELDS[kind];
  if (typeof version !== "number" || typeof data.hotel_id !== "number") {
    throw new TypeError(`${kind} without version or hotel_id`);
  }
  const id = field === null ? "" : String(data[field]);
  return { kind, hotel_id: data.hotel_id, id, version, body: deleted ? null : body };
}

function ranges(data: Availability): RangeRow[] {
  return data.room_types.flatMap(({ room_type_id, version, ranges }) =>
    ranges.map(({ from, until, sellable, occupied, available }) => ({
      hotel_id: data.hotel_id,
      room_type_id,
      version,
      first: from,
      until,
      sellable,
      occupied,
      available,
    })),
  );
}
