// Connects the page to the booking engine's live news.

import { Calendar } from "./calendar.js";
import { Desk } from "./desk.js";
import { showFigures } from "./figures.js";
import { News } from "./news.js";
import { make } from "./words.js";

const at = (id) => document.getElementById(id);
const mine = new Set();
const news = new News(at("news"), at("news-empty"));
const desk = new Desk(at("desk"), at("desk-note"), at("result"), (booking) => {
  mine.add(booking);
  news.mark(booking);
});
const calendar = new Calendar(at("calendar"), (roomType, night) => desk.pick(roomType, night));

let state = null;
let chosen = Number(new URLSearchParams(location.search).get("hotel")) || null;

const takers = {
  state(told) {
    state = told;
    if (!state.hotels.some(({ id }) => id === chosen)) chosen = state.hotels[0]?.id ?? null;
    showHotels();
    showHotel();
    news.draw(state.lines);
    for (const booking of mine) news.mark(booking);
    showFigures(state.figures);
  },
  figures(told) {
    state.figures = told.figures;
    showFigures(told.figures);
    desk.open(told.figures.in_step);
  },
  nights(told) {
    const hotel = state.hotels.find(({ id }) => id === told.hotel);
    for (const [id, nights] of Object.entries(told.room_types)) {
      const type = hotel?.room_types.find((one) => one.id === Number(id));
      for (const [night, numbers] of Object.entries(nights)) {
        const column = state.nights.indexOf(night);
        if (type && column >= 0) type.nights[column] = numbers;
      }
      if (told.hotel === chosen) calendar.change(id, nights);
    }
  },
  booking(told) {
    state.lines.unshift(told.line);
    state.lines.length = Math.min(state.lines.length, 40);
    news.add(told.line, mine.has(told.line.booking_id));
  },
};

function showHotels() {
  const tabs = at("hotels");
  const focused = tabs.contains(document.activeElement);
  tabs.replaceChildren(
    ...state.hotels.map(({ id, name }) => {
      const tab = make("button", { type: "button", role: "tab", lang: "ja", textContent: name, id: `hotel-${id}` });
      tab.setAttribute("aria-selected", String(id === chosen));
      tab.setAttribute("aria-controls", "calendar");
      tab.tabIndex = id === chosen ? 0 : -1;
      tab.addEventListener("click", () => choose(id));
      return tab;
    }),
  );
  if (focused) at(`hotel-${chosen}`)?.focus();
}

function showHotel() {
  const hotel = state.hotels.find(({ id }) => id === chosen);
  if (!hotel) return;
  at("hotel-note").textContent = [hotel.formal_name, hotel.address].filter(Boolean).join(" · ");
  at("hotel-note").lang = "ja";
  at("calendar").setAttribute("aria-labelledby", `hotel-${chosen} calendar-title`);
  calendar.draw(hotel, state.nights);
  desk.show(hotel, state.nights, state.figures.in_step);
}

function choose(id) {
  chosen = id;
  history.replaceState(null, "", `?hotel=${id}`);
  showHotels();
  showHotel();
}

at("hotels").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || !state.hotels.length) return;
  const ids = state.hotels.map(({ id }) => id);
  choose(ids[(ids.indexOf(chosen) + step + ids.length) % ids.length]);
  at(`hotel-${chosen}`).focus();
});

function showLink(live) {
  at("link").classList.toggle("live", live);
  at("link-text").textContent = live ? "Live" : "Not connected";
  at("banner").hidden = live;
  at("banner").textContent = live ? "" : "The demo does not answer; this page tries again. What you see may be old.";
}

const source = new EventSource("/events");
source.addEventListener("message", (event) => {
  const told = JSON.parse(event.data);
  takers[told.kind](told);
});
source.addEventListener("open", () => showLink(true));
source.addEventListener("error", () => showLink(false));
