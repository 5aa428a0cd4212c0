// The front desk: books a room in the PMS and shows how long its webhook took.

import { asDay, asDelay, count, make } from "./words.js";

export class Desk {
  #form;
  #note;
  #result;
  #booked;
  #hotel = null;

  /**
   * @param {HTMLFormElement} form
   * @param {HTMLElement} note Where it is told whether the desk is open.
   * @param {HTMLElement} result Where the outcome is told.
   * @param {(booking: string) => void} booked Called with the id of a booking that has arrived.
   */
  constructor(form, note, result, booked) {
    this.#form = form;
    this.#note = note;
    this.#result = result;
    this.#booked = booked;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#book();
    });
  }

  /** Offer a hotel's room types; `open` is false until the first sync is done. */
  show(hotel, nights, open) {
    const { room_type: select, check_in: arrival } = this.#form.elements;
    const chosen = hotel.id === this.#hotel ? select.value : "";
    const types = hotel.room_types.map(({ id, name }) => make("option", { value: id, textContent: name, lang: "ja" }));
    select.replaceChildren(select.options[0], ...types);
    select.value = [...select.options].some((option) => option.value === chosen) ? chosen : "";
    arrival.min = nights[0];
    if (!arrival.value || arrival.value < nights[0]) arrival.value = nights[3];
    this.#hotel = hotel.id;
    this.open(open);
  }

  /** Open or close the desk. */
  open(open) {
    const button = this.#form.querySelector("button");
    if (!button.classList.contains("busy")) button.disabled = !open || this.#hotel === null;
    this.#note.textContent = open ? "Book in the PMS as staff do, or click a night above." : "Opens when the first sync is done.";
  }

  /** Book one night that was clicked in the calendar. */
  pick(roomType, night) {
    const { room_type: select, check_in: arrival, nights } = this.#form.elements;
    select.value = roomType;
    arrival.value = night;
    nights.value = 1;
    this.#form.requestSubmit();
  }

  async #book() {
    const button = this.#form.querySelector("button");
    if (button.disabled) return;
    button.disabled = true;
    button.classList.add("busy");
    try {
      this.#tell(await this.#ask());
    } catch (error) {
      this.#fail(error instanceof TypeError ? "The demo does not answer. Is it still running?" : error.message);
    } finally {
      button.classList.remove("busy");
      button.disabled = false;
    }
  }

  async #ask() {
    const { room_type: select, check_in: arrival, nights } = this.#form.elements;
    const wish = {
      hotel: this.#hotel,
      room_type: select.value === "" ? null : Number(select.value),
      check_in: arrival.value,
      nights: Number(nights.value),
    };
    const answer = await fetch("/front-desk", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(wish),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error);
    return told;
  }

  #tell(line) {
    this.#booked(line.booking_id);
    const types = line.room_types.map(({ name }) => name).join(", ");
    const what = make("p", {}, make("span", { lang: "ja", textContent: `${line.guest ?? "A guest"} · ${types}` }));
    what.append(` · ${asDay(line.check_in)}, ${count(line.nights, "night")}`);
    this.#result.className = "result good";
    this.#result.replaceChildren(
      make("p", { className: "number" }, asDelay(line.delay), make("span", { className: "unit", textContent: "ms" })),
      make("p", {}, "from the commit to the verified webhook"),
      what,
    );
  }

  #fail(why) {
    this.#result.className = "result bad";
    this.#result.replaceChildren(make("p", { textContent: why }));
  }
}
