// The availability calendar of one hotel: a table of room types by nights.

import { asDay, asLongDay, asMonth, count, make, weekday } from "./words.js";

const LETTERS = ["Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"];
const SHOWN = 6000; // milliseconds that a change stays marked
const stillness = matchMedia("(prefers-reduced-motion: reduce)");

export class Calendar {
  #place;
  #cells = new Map();
  #pick;

  /**
   * @param {HTMLElement} place Where the table goes.
   * @param {(roomType: number, night: string) => void} pick Called when a night is clicked.
   */
  constructor(place, pick) {
    this.#place = place;
    this.#pick = pick;
    place.addEventListener("click", (event) => {
      const cell = event.target.closest("td");
      if (cell?.dataset.night) this.#pick(Number(cell.dataset.roomType), cell.dataset.night);
    });
  }

  /** Draw a hotel anew; `nights` are the dates of the columns. */
  draw(hotel, nights) {
    const left = this.#place.scrollLeft;
    this.#cells.clear();
    if (!hotel.room_types.length) {
      this.#place.replaceChildren(make("p", { className: "empty", textContent: "No room types yet." }));
      return;
    }
    const caption = `Rooms that can be sold in ${hotel.name}, by room type and night`;
    const table = make("table", {}, make("caption", { className: "unseen", textContent: caption }));
    table.append(this.#head(nights), make("tbody", {}, ...hotel.room_types.map((type) => this.#row(type, nights))));
    this.#place.replaceChildren(table);
    this.#place.scrollLeft = left;
  }

  /** Show changed nights of a room type: {date: [sellable, available]}. */
  change(roomType, nights) {
    for (const [night, told] of Object.entries(nights)) {
      const cell = this.#cells.get(`${roomType} ${night}`);
      if (!cell) continue;
      const before = cell.dataset.available;
      this.#fill(cell, told);
      this.#flash(cell, Number(before), told[1]);
    }
  }

  #head(nights) {
    const months = make("tr", {}, make("td", { className: "corner" }));
    for (const night of nights) {
      const name = asMonth(night);
      const last = months.lastElementChild;
      if (last.textContent === name) last.colSpan += 1;
      else months.append(make("th", { scope: "colgroup", className: "month" }, make("span", { textContent: name })));
    }
    const days = nights.map((night) => {
      const cell = make("th", { scope: "col", className: `day d${weekday(night)}`, title: asLongDay(night) });
      cell.append(
        make("span", { textContent: LETTERS[weekday(night)] }),
        make("time", { dateTime: night, textContent: String(Number(night.slice(8))) }),
      );
      return cell;
    });
    return make("thead", {}, months, make("tr", {}, make("th", { scope: "col", textContent: "Room type" }), ...days));
  }

  #row(type, nights) {
    const note = `${count(type.rooms, "room")}${type.capacity ? `, for ${type.capacity}` : ""}`;
    const name = make("span", { textContent: type.name, lang: "ja" });
    const head = make("th", { scope: "row" }, name, make("small", { textContent: note }));
    const cells = nights.map((night, index) => {
      const cell = make("td", { className: `d${weekday(night)}` });
      cell.dataset.roomType = type.id;
      cell.dataset.night = night;
      cell.dataset.name = type.name;
      this.#cells.set(`${type.id} ${night}`, cell);
      this.#fill(cell, type.nights[index]);
      return cell;
    });
    return make("tr", {}, head, ...cells);
  }

  #fill(cell, told) {
    const where = `${cell.dataset.name}, ${asDay(cell.dataset.night)}`;
    if (!told || !told[0]) {
      cell.className = cell.className.split(" ")[0] + " none";
      cell.textContent = "–";
      cell.title = told ? `${where}: no room of this type is for sale` : `${where}: not known yet`;
      cell.dataset.available = "";
      return;
    }
    const [sellable, available] = told;
    cell.className = `${cell.className.split(" ")[0]} ${level(available / sellable)}`;
    cell.replaceChildren(make("b", { textContent: available }), make("small", { textContent: `/${sellable}` }));
    cell.title = available ? `${where}: ${available} of ${sellable} rooms free` : `${where}: sold out`;
    cell.dataset.available = available;
  }

  /** A ring that says for some seconds that the number fell or rose, and draws the eye at first. */
  #flash(cell, before, after) {
    const kind = after < before ? "fell" : "rose";
    cell.classList.add(kind);
    setTimeout(() => cell.classList.remove(kind), SHOWN);
    if (stillness.matches) return;
    const colour = getComputedStyle(cell).getPropertyValue(`--${kind}`);
    cell.animate({ boxShadow: [`0 0 0 6px ${colour}`, `inset 0 0 0 2px ${colour}`] }, { duration: 900, easing: "ease-out" });
  }
}

/** How much of what can be sold is free, as a colour's name. */
function level(share) {
  if (share <= 0) return "gone";
  if (share < 0.25) return "scarce";
  return share < 0.5 ? "some" : "ample";
}
