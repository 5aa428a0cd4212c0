// The figures above the calendar.

import { asClock, asDelay, asNumber, count } from "./words.js";

const at = (id) => document.getElementById(id);
const write = (id, text) => {
  const element = at(id);
  if (element.textContent !== text) element.textContent = text;
};

/** Show counters, delays and the first sync. */
export function showFigures(figures) {
  showDelays(figures.delay);
  write("verified", asNumber(figures.verified));
  write("received", asNumber(figures.received));
  write("refused", asNumber(figures.refused));
  write("refusal", figures.refusal ?? "by Standard Webhooks");
  at("refused-figure").classList.toggle("wrong", figures.refused > 0);
  showSync(figures);
}

function showDelays(delay) {
  write("delay-p50", asDelay(delay.p50));
  write("delay-p99", asDelay(delay.p99));
  write("delay-last", asDelay(delay.last));
  write("delay-count", delay.count ? `of ${count(delay.count, "message")}` : "no news yet");
  drawSpark(at("spark"), delay.recent);
}

function showSync({ in_step: inStep, held, heartbeat }) {
  const behind = heartbeat?.behind ?? 0;
  const bar = at("sync-bar");
  bar.hidden = inStep;
  write("sync-title", inStep ? "In step with the PMS" : "First sync");
  write("sync-number", asNumber(held.booking));
  if (inStep) {
    const as_of = heartbeat?.as_of ? ` · as of ${asClock(heartbeat.as_of)}` : "";
    write("sync-note", (behind ? `${count(behind, "change")} on the way` : "nothing outstanding") + as_of);
    return;
  }
  const got = held.hotel + held.room_type + held.plan + held.booking;
  if (got && behind) bar.value = got / (got + behind);
  else bar.removeAttribute("value");
  write(
    "sync-note",
    got ? [count(held.hotel, "hotel"), count(held.room_type, "room type"), count(held.plan, "plan")].join(", ") : "Waiting for the first webhook",
  );
}

/** One bar per message, newest at the right; square roots keep the small ones visible beside a large one. */
function drawSpark(svg, delays) {
  const slots = 60;
  const top = Math.max(20, ...delays);
  svg.setAttribute("viewBox", `0 0 ${slots * 4} 40`);
  const bars = delays.map((delay, index) => {
    const height = Math.max(1.5, 40 * Math.sqrt(delay / top));
    return `M${(slots - delays.length + index) * 4} 40v${-height.toFixed(1)}h2.6V40z`;
  });
  const path = svg.firstElementChild ?? document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", bars.join(""));
  svg.append(path);
}
