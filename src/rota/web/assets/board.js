// The page: fetches the board once, follows it live, and comes back by itself after a restart or a laptop's sleep.

import { drawCounts, drawLegend, drawRecent, drawTable, drawTrouble, drawWaiting } from "./lists.js";
import { colours, span, time } from "./text.js";
import { Timeline } from "./timeline.js";

const SILENCE_MS = 40_000; // the server says something every 15 s; longer silence is a lost line
const RETRY_MS = 1_500;
const AGES_MS = 20_000; // so often what is said from now on is said anew, also when nothing happens

const timeline = new Timeline();
let board = null;
let heardAt = 0;
let shownAt = 0;
let source = null;

function show(next) {
  board = next;
  shownAt = Date.now();
  const projects = new Set([...board.turns, ...board.waiting, ...board.recent].map((item) => item.project));
  const colour = colours(projects);
  drawTrouble(board);
  drawCounts(board);
  drawLegend(colour);
  drawWaiting(board, colour, wanted());
  drawRecent(board, colour);
  if (document.querySelector(".as-table").open) drawTable(board);
  timeline.update(board, colour);
  offerZooms();
}

function wanted() {
  return document.getElementById("filter").value.trim().toLowerCase();
}

function offerZooms() {
  // A dozen turns after each other can be read; everything that was sent shows the day.
  const zoom = document.getElementById("zoom");
  const all = Math.round(board.at - board.from_at);
  const name = `${all} ${board.quantum_s}`;
  if (zoom.dataset.all === name) return;
  zoom.dataset.all = name;
  const readable = Math.min(12 * board.quantum_s, all);
  const spans = [...new Set([readable / 3, readable, all])];
  zoom.replaceChildren(...spans.map((seconds) => new Option(`the last ${span(seconds)}`, seconds)));
  zoom.selectedIndex = spans.indexOf(readable);
  timeline.past = readable;
  timeline.flow();
  const scroller = document.querySelector(".scroller");
  scroller.scrollLeft = scroller.scrollWidth; // on a phone: now, not the past
}

function say(isLive) {
  document.getElementById("live").classList.toggle("on", isLive);
  document.getElementById("live-text").textContent = isLive ? `live, ${board.member}` : `last seen ${board ? time(board.at, board.at + 3600) : "never"}, trying again`;
}

function listen() {
  source?.close();
  heardAt = Date.now();
  source = new EventSource("/api/v1/events");
  source.addEventListener("board", (event) => {
    heardAt = Date.now();
    show(JSON.parse(event.data));
    say(true);
  });
  source.addEventListener("heartbeat", () => {
    heardAt = Date.now();
  });
  source.addEventListener("error", () => {
    say(false);
    source.close();
    source = null;
    setTimeout(comeBack, RETRY_MS);
  });
}

async function comeBack() {
  if (source) return;
  try {
    const answer = await fetch("/api/v1/board", { cache: "no-store" });
    if (answer.status === 403) {
      location.reload(); // the session is over: the page says how to come in again
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
    listen();
    say(true);
  } catch {
    say(false);
    setTimeout(comeBack, RETRY_MS);
  }
}

function tick() {
  if (document.hidden) return;
  timeline.flow();
  if (board && Date.now() - shownAt > AGES_MS) show({ ...board, at: Date.now() / 1000 + timeline.skew });
  if (source && Date.now() - heardAt > SILENCE_MS) {
    source.close();
    source = null;
    comeBack();
  }
}

document.body.classList.toggle("wall", new URLSearchParams(location.search).has("wall"));
document.getElementById("filter").addEventListener("input", () => board && show(board));
document.getElementById("zoom").addEventListener("change", (event) => {
  timeline.past = Number(event.target.value);
  timeline.flow();
});
document.querySelector(".as-table").addEventListener("toggle", () => board && drawTable(board));
document.addEventListener("visibilitychange", tick);
addEventListener("resize", () => timeline.flow());
setInterval(tick, 1000);
comeBack();
