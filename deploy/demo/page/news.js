// The list of booking messages.

import { asClock, asDay, asDelay, asYen, count, make } from "./words.js";

const LONGEST = 40;
const STATES = { checked_in: "checked in", checked_out: "checked out" };

export class News {
  #body;
  #empty;

  constructor(table, empty) {
    this.#body = table.tBodies[0];
    this.#empty = empty;
  }

  /** Show these lines, newest first. */
  draw(lines) {
    this.#body.replaceChildren(...lines.map((line) => row(line)));
    this.#empty.hidden = lines.length > 0;
  }

  /** Add the newest line; `mine` marks a booking that this page's visitor made. */
  add(line, mine) {
    const added = row(line);
    added.classList.add("new");
    if (mine) added.classList.add("mine");
    this.#body.prepend(added);
    while (this.#body.rows.length > LONGEST) this.#body.lastElementChild.remove();
    this.#empty.hidden = true;
  }

  /** Mark what has arrived already of a booking that the visitor made. */
  mark(booking) {
    for (const found of this.#body.querySelectorAll(`[data-booking="${CSS.escape(booking)}"]`)) {
      found.classList.add("mine");
    }
  }
}

function row(line) {
  const gone = line.event === "deleted" || line.event === "cancelled";
  const element = make("tr", { className: gone ? "ended" : "" });
  element.dataset.booking = line.booking_id;
  element.append(
    make("td", { className: "time" }, asClock(line.at)),
    make("td", { className: "right delay" }, asDelay(line.delay), make("small", { textContent: " ms" })),
    message(line),
    make("td", { className: "guest", lang: "ja" }, make("span", { textContent: line.guest ?? "–" })),
    make("td", { lang: "ja", className: "types" }, roomTypes(line.room_types)),
    make("td", { className: "stay" }, stay(line)),
    make("td", { className: "right total" }, asYen(line.total)),
    make("td", { className: "status" }, STATES[line.status] ?? line.status ?? ""),
    make("td", { className: "channel", lang: "ja" }, line.channel ?? ""),
    make("td", { className: "minor hotel", lang: "ja" }, line.hotel ?? ""),
  );
  return element;
}

function message(line) {
  const cell = make("td", { className: "message" }, make("span", { className: `pill ${line.event}`, textContent: line.event }));
  if (line.event === "updated" && line.changed.length) {
    const [first, ...others] = line.changed;
    const text = others.length ? `${first} +${others.length}` : first;
    cell.append(make("small", { className: "changed", title: line.changed.join(", "), textContent: text }));
  }
  return cell;
}

function roomTypes(types) {
  if (!types.length) return "–";
  return types.map(({ name, rooms }) => (name ?? "no room yet") + (rooms > 1 ? ` × ${rooms}` : "")).join(", ");
}

function stay(line) {
  if (!line.check_in) return "–";
  return make("span", {}, asDay(line.check_in), make("small", { textContent: ` ${count(line.nights, "night")}` }));
}
