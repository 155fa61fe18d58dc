// The page about forecasts: how often turns began inside the range that was promised.

import { make, span } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const GOAL = 0.9; // the part that is to begin by the late moment
const NINE_IN_TEN = 1.645; // standard errors on each side, for nine cases in ten
const MOMENTS = ["early", "likely", "late"];
const LEADS = { hour: "within the hour", day: "within a day", week: "within a week", later: "more than a week ahead" };
const [LEFT, TOP, SIZE] = [68, 14, 300]; // of the diagram's square, in its own units

const percent = (part) => `${Math.round(100 * part)} %`;
const byId = (id) => document.getElementById(id);

/** An SVG element. */
function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// --- the diagram ---------------------------------------------------------------------------------

const across = (part) => LEFT + SIZE * part;
const up = (part) => TOP + SIZE * (1 - part);

function line(name, [fromX, fromY], [toX, toY]) {
  return draw("line", { class: name, x1: across(fromX), y1: up(fromY), x2: across(toX), y2: up(toY) });
}

function reliability(points, turns) {
  const said = points.map((point, place) => `${MOMENTS[place]}: promised ${percent(point.promised)}, came ${percent(point.came)}`);
  const picture = draw("svg", { viewBox: `0 0 ${LEFT + SIZE + 40} ${TOP + SIZE + 52}`, role: "img", "aria-label": `What was promised and what came. ${said.join("; ")}` });
  picture.append(draw("rect", { class: "frame", x: LEFT, y: TOP, width: SIZE, height: SIZE }), line("ideal", [0, 0], [1, 1]));
  for (const { promised } of points) picture.append(...level(promised, turns));
  const path = points.map((point) => `${across(point.promised)},${up(point.came)}`).join(" ");
  picture.append(draw("polyline", { class: "came", points: path }));
  points.forEach((point, place) => picture.append(...spot(point, MOMENTS[place])));
  picture.append(
    draw("text", { x: across(0.5), y: TOP + SIZE + 44, "text-anchor": "middle" }, "promised to begin by then"),
    draw("text", { x: 14, y: up(0.5), "text-anchor": "middle", transform: `rotate(-90 14 ${up(0.5)})` }, "began by then"),
  );
  return picture;
}

/** What belongs to one promised part: its lines, its numbers on both axes, and what chance makes of it. */
function level(promised, turns) {
  const chance = NINE_IN_TEN * Math.sqrt((promised * (1 - promised)) / turns);
  return [
    line("grid", [promised, 0], [promised, 1]),
    line("grid", [0, promised], [1, promised]),
    line("chance", [promised, Math.max(promised - chance, 0)], [promised, Math.min(promised + chance, 1)]),
    draw("text", { x: across(promised), y: TOP + SIZE + 20, "text-anchor": "middle" }, percent(promised)),
    draw("text", { x: LEFT - 8, y: up(promised) + 4, "text-anchor": "end" }, percent(promised)),
  ];
}

/** One point with its name, beside the line of those that are as promised. */
function spot(point, name) {
  const isLast = point.promised > 0.7; // right of it there is no room
  const isAbove = isLast && point.came < 0.95; // at the top there is no room, either
  const [x, y] = [across(point.promised) + (isLast ? -12 : 12), up(point.came) + (isAbove ? -10 : 20)];
  const label = draw("text", { class: "said", x, y, "text-anchor": isLast ? "end" : "start" }, `${name} ${percent(point.came)}`);
  return [draw("circle", { class: "point", cx: across(point.promised), cy: up(point.came), r: 6 }), label];
}

function drawReliability(score) {
  byId("reliability").replaceChildren(reliability(score.reliability, score.forecasts));
  const rows = score.reliability.map((point, place) => [MOMENTS[place], percent(point.promised), percent(point.came)]);
  fill("reliability-table", ["Moment", "Promised", "Began by then"], rows);
}

// --- tables --------------------------------------------------------------------------------------

function fill(id, heads, rows) {
  byId(id).replaceChildren(
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows.map(([first, ...others]) => make("tr", {}, make("th", { scope: "row" }, first), ...others.map((cell) => make("td", {}, cell))))),
  );
}

/** The part that held, as a bar with a mark where it is to be. */
function held(part) {
  const bar = draw("svg", { viewBox: "0 0 160 14", "aria-hidden": "true" });
  bar.append(
    draw("rect", { class: "all", width: 160, height: 14, rx: 3 }),
    draw("rect", { class: "part", width: 160 * part, height: 14, rx: 3 }),
    draw("line", { class: "goal", x1: 160 * GOAL, x2: 160 * GOAL, y1: 0, y2: 14 }),
  );
  return make("div", { class: "held" }, make("b", {}, percent(part)), bar);
}

function drawKinds(id, head, rows, name) {
  byId(id).hidden = rows.length === 0;
  const cells = rows.map((row) => [name(row.kind), String(row.forecasts), held(row.coverage_90), percent(row.median_below), span(row.pinball_s)]);
  fill(`${id}-table`, [head, "Turns", "Began as promised", "Before the likely moment", "Off by, in the mean"], cells);
}

function drawFigures(score) {
  const figures = [
    [percent(score.coverage_90), "began as promised"],
    [percent(score.median_below), "before the likely moment"],
    [span(score.pinball_s), "off by, in the mean"],
    [String(score.forecasts), score.forecasts === 1 ? "turn" : "turns"],
    [String(score.open), "still to come"],
    ...(score.ends ? [[percent(score.ends.coverage_90), `of ${score.ends.forecasts} jobs done as promised`]] : []),
  ];
  byId("figures").replaceChildren(...figures.map(([value, name]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function show(score) {
  const isEmpty = score.forecasts === 0;
  byId("sentence").textContent = score.sentence;
  byId("soon").hidden = !isEmpty;
  for (const id of ["figures", "diagram", "leads", "tiers"]) byId(id).hidden = isEmpty;
  if (isEmpty) return;
  drawFigures(score);
  drawReliability(score);
  drawKinds("leads", "Ahead", score.by_lead, (kind) => LEADS[kind] ?? kind);
  drawKinds("tiers", "Tier", score.by_tier, (kind) => kind);
}

async function load() {
  try {
    const answer = await fetch(`/api/v1/forecast/score?days=${byId("days").value}`, { cache: "no-store" });
    if (answer.status === 403) location.reload(); // the session is over: the page says how to come in again
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
  } catch {
    byId("sentence").textContent = "Rota does not answer. Is it running? In a terminal there: rota doctor";
  }
}

byId("days").addEventListener("change", load);
document.addEventListener("visibilitychange", () => document.hidden || load());
load();
