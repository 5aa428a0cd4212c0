// Dates, money and durations as people read them, and elements built from plain text.

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const longDay = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });
const month = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: "Asia/Tokyo" });
const yen = new Intl.NumberFormat("en", { style: "currency", currency: "JPY", currencyDisplay: "narrowSymbol" });
const number = new Intl.NumberFormat("en");

export const asDay = (iso) => day.format(new Date(iso));
export const asLongDay = (iso) => longDay.format(new Date(iso));
export const asMonth = (iso) => month.format(new Date(iso));
export const asClock = (iso) => clock.format(new Date(iso));
export const asYen = (amount) => (amount === null || amount === undefined ? "" : yen.format(amount));
export const asNumber = (value) => number.format(value);
export const weekday = (iso) => new Date(iso).getUTCDay();

/** A number of things: "1 night", "2 nights". */
export const count = (value, thing) => `${number.format(value)} ${thing}${value === 1 ? "" : "s"}`;

/** Milliseconds to three digits at most: 4.2, 38, 1,204. */
export function asDelay(ms) {
  if (ms === null || ms === undefined) return "–";
  return ms < 10 ? ms.toFixed(1) : number.format(Math.round(ms));
}

/** An element with properties and children; text stays text. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
