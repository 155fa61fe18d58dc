// The waiting list, what ended lately, the counts, and the table for those who do not see the picture.

import { sayRange } from "./ranges.js";
import { make, span, time } from "./text.js";

const LEAST_TO_JUDGE = 10; // forecasts, before which none says how good they are
const FRESH = 120; // seconds; a younger forecast needs no age
const GOOD = new Set(["finished"]);

function fill(id, items, emptyId) {
  document.getElementById(id).replaceChildren(...items);
  document.getElementById(emptyId).hidden = items.length > 0;
}

function who(job, colour) {
  const chip = make("span", { class: "chip" });
  chip.style.backgroundColor = colour.get(job.project) ?? "transparent";
  return make("span", { class: "who soft" }, chip, `${job.member} · ${job.project}`);
}

function needs(job) {
  return `${job.gpus} ${job.gpus === 1 ? "GPU" : "GPUs"}, ${job.tier === "any" ? "any tier" : job.tier.replaceAll(",", " or ")}`;
}

function matches(job, wanted) {
  return !wanted || `${job.job} ${job.name} ${job.member} ${job.project}`.toLowerCase().includes(wanted);
}

/** When a job's turn begins, the likely moment in small; the plain bound while there is no forecast. */
function begins(forecast, now) {
  if (!forecast.begin) return [forecast.at_latest ? `by ${time(forecast.at_latest, now)}` : ""];
  const [between, likely] = sayRange(forecast.begin, now).split(/, (?=likely )/);
  return likely ? [between, " ", make("small", {}, likely)] : [between];
}

/** How good forecasts were, and how old these are when that matters. */
function drawForecasts(board) {
  const made = board.waiting.map((job) => job.forecast.made_at).filter((at) => at !== null);
  const old = made.length ? board.at - Math.min(...made) : 0;
  const parts = [
    ...(board.of >= LEAST_TO_JUDGE ? [`${Math.floor((10 * board.kept) / board.of)} of 10 forecasts held in the last 30 days`] : []),
    ...(old > FRESH ? [`as of ${span(old)} ago`] : []),
  ];
  document.getElementById("forecasts").textContent = parts.join("; ");
}

export function drawWaiting(board, colour, wanted) {
  const shown = board.waiting.filter((job) => matches(job, wanted));
  const items = shown.map((job) =>
    make(
      "li",
      { class: job.is_mine ? "mine" : null },
      make("span", { class: "place" }, String(job.place ?? "")),
      make("span", { class: "job" }, job.name, " ", make("small", {}, `job ${job.job}`)),
      who(job, colour),
      make("span", { class: "needs soft" }, needs(job)),
      make("span", { class: "when" }, ...begins(job.forecast, board.at)),
      make("span", { class: "why" }, job.told ? `${job.told} ` : "", job.reason),
    ),
  );
  fill("waiting-list", items, "waiting-empty");
  drawForecasts(board);
  const more = board.waiting_count - board.waiting.length;
  const note = document.getElementById("waiting-more");
  note.hidden = more <= 0;
  note.textContent = `and ${more} more; all of them: rota list`;
}

export function drawRecent(board, colour) {
  const items = board.recent.map((job) =>
    make(
      "li",
      { class: job.is_mine ? "mine" : null },
      make("span", { class: "place" }, ""),
      make("span", { class: "job" }, job.name, " ", make("small", {}, `job ${job.job}`)),
      who(job, colour),
      make("span", { class: "needs soft" }, `${job.turns} ${job.turns === 1 ? "turn" : "turns"}`),
      make("span", { class: "when" }, time(job.ended_at, board.at)),
      make("span", { class: `why ${GOOD.has(job.state) ? "good" : job.state === "failed" ? "bad" : ""}` }, job.reason),
    ),
  );
  fill("recent-list", items, "recent-empty");
}

export function drawTrouble(board) {
  const list = document.getElementById("trouble");
  const said = board.trouble.join("\n");
  if (list.dataset.said === said) return; // read aloud once, not with every change on the board
  list.dataset.said = said;
  list.replaceChildren(...board.trouble.map((sentence) => make("p", {}, sentence)));
  list.hidden = !board.trouble.length;
}

export function drawCounts(board) {
  const busy = board.gpus.filter((gpu) => gpu.turn).length;
  const taken = board.gpus.filter((gpu) => gpu.condition === "taken").length;
  const out = board.gpus.filter((gpu) => gpu.condition !== "healthy").length - taken;
  const running = new Set(board.gpus.filter((gpu) => gpu.turn).map((gpu) => gpu.turn)).size;
  const counts = [
    [running, running === 1 ? "turn" : "turns"],
    [board.waiting_count, "waiting"],
    ...(board.held_count ? [[board.held_count, "held"]] : []),
    [`${busy} of ${board.gpus.length}`, "GPUs busy"],
    ...(taken ? [[taken, "taken by others"]] : []),
    ...(out ? [[out, "out of service"]] : []),
  ];
  const drawn = counts.map(([number, name]) => make("div", {}, make("dt", {}, name), make("dd", {}, String(number))));
  document.getElementById("counts").replaceChildren(...drawn);
  document.getElementById("laboratory").textContent = board.laboratory;
  document.title = `${board.laboratory}: ${board.waiting_count} waiting`;
}

export function drawLegend(colour) {
  const items = [...colour].map(([project, tint]) => {
    const swatch = make("i");
    swatch.style.backgroundColor = tint;
    return make("li", {}, swatch, project);
  });
  document.getElementById("legend").replaceChildren(...items);
}

/** After the present turn: the next one, or, where none is needed, the end. */
function follows(forecast, now) {
  if (forecast?.begin) return `again ${sayRange(forecast.begin, now)}`;
  return forecast?.finish ? `done ${sayRange(forecast.finish, now)}` : "";
}

export function drawTable(board) {
  const heads = ["GPU", "tier", "condition", "job", "member", "project", "then"];
  const turns = new Map(board.turns.map((turn) => [turn.id, turn]));
  const rows = board.gpus.map((gpu) => [
    gpu.label, gpu.tier, gpu.condition, gpu.job ? `${gpu.job} ${gpu.job_name}` : gpu.condition === "healthy" ? "free" : "", gpu.member ?? "", gpu.project ?? "",
    follows(turns.get(gpu.turn)?.forecast, board.at),
  ]);
  document.getElementById("gpu-table").replaceChildren(
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell))))),
  );
}
