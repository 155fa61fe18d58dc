// The rotation board: a row for each GPU, a bar for each turn, drawn by position alone so that time can flow.

import { sayRange } from "./ranges.js";
import { make, span, time } from "./text.js";

const TICKS_S = [2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200];
const WIDE_ENOUGH = 34; // pixels from which a bar carries text

export class Timeline {
  constructor() {
    this.chart = document.getElementById("chart");
    this.rows = document.getElementById("rows");
    this.axis = document.getElementById("axis");
    this.nowLine = document.getElementById("now");
    this.details = document.getElementById("details");
    this.tracks = new Map(); // GPU -> its track
    this.bars = new Map(); // turn and GPU -> { turn, bar, promise }
    this.shape = "";
    this.past = null; // seconds shown before now; null: everything that was sent
    this.rows.addEventListener("click", (event) => this.point(event));
    this.rows.addEventListener("pointerover", (event) => this.point(event));
    this.rows.addEventListener("focusin", (event) => this.point(event));
  }

  /** Take a new board; only what has changed is touched. */
  update(board, colour) {
    this.board = board;
    this.skew = board.at - Date.now() / 1000;
    const shape = board.gpus.map((gpu) => gpu.uuid).join();
    if (shape !== this.shape) this.buildRows(board.gpus);
    this.shape = shape;
    for (const gpu of board.gpus) this.dress(gpu);
    const present = new Set();
    for (const turn of board.turns) {
      for (const gpu of turn.gpus) {
        if (!this.tracks.has(gpu)) continue;
        const key = `${turn.id} ${gpu}`;
        present.add(key);
        this.place(key, turn, gpu, colour.get(turn.project));
      }
    }
    for (const [key, drawn] of this.bars) {
      if (present.has(key)) continue;
      drawn.bar.remove();
      drawn.promise.remove();
      this.bars.delete(key);
    }
    this.flow();
  }

  buildRows(gpus) {
    this.tracks.clear();
    this.bars.clear();
    const rows = [];
    let node = null;
    for (const gpu of gpus) {
      if (gpu.node !== node) {
        node = gpu.node;
        rows.push(make("div", { class: "node" }, gpu.node, make("small", {}, gpu.model)));
      }
      const track = make("div", { class: "track" });
      this.tracks.set(gpu.uuid, track);
      rows.push(make("div", { class: "row" }, make("div", { class: "label" }, `GPU ${gpu.index}`), track));
    }
    this.rows.replaceChildren(...rows);
  }

  dress(gpu) {
    const track = this.tracks.get(gpu.uuid);
    const said = gpu.condition !== "healthy" ? `${gpu.condition}${gpu.why ? `: ${gpu.why}` : ""}` : gpu.kept_for ? `next: job ${gpu.kept_for}` : "";
    const dress = `${gpu.condition} ${said}`;
    if (track.dataset.dress === dress) return;
    track.dataset.dress = dress;
    track.className = gpu.condition === "healthy" ? "track" : `track ${gpu.condition}`;
    track.querySelector(".state")?.remove();
    if (said) track.append(make("span", { class: "state" }, said));
  }

  place(key, turn, gpu, colour) {
    let drawn = this.bars.get(key);
    if (!drawn) {
      const bar = make("button", { class: "bar", type: "button" });
      bar.dataset.key = key;
      const promise = make("div", { class: "promise" });
      this.tracks.get(gpu).append(bar, promise);
      drawn = { bar, promise };
      this.bars.set(key, drawn);
    }
    drawn.turn = turn;
    const { bar, promise } = drawn;
    const kinds = ["bar", turn.ended_at ? "past" : turn.state];
    if (turn.outcome === "failed" || turn.outcome === "lost") kinds.push(turn.outcome);
    if (turn.is_mine) kinds.push("mine");
    bar.className = kinds.join(" ");
    bar.tabIndex = turn.ended_at ? -1 : 0;
    bar.style.backgroundColor = colour;
    promise.style.backgroundColor = colour;
    const said = this.sentence(turn);
    if (bar.getAttribute("aria-label") !== said) bar.setAttribute("aria-label", said);
  }

  /** Let time pass: positions follow the clock. */
  flow() {
    if (!this.board) return;
    const now = Date.now() / 1000 + this.skew;
    const shown = this.past ?? this.board.at - this.board.from_at;
    const from = now - shown;
    const until = now + Math.max(shown * 0.22, Math.min(this.board.quantum_s * 1.15, shown));
    const scale = 100 / (until - from);
    const width = this.chart.clientWidth;
    for (const { turn, bar, promise } of this.bars.values()) {
      const begin = Math.max((turn.began_at - from) * scale, 0);
      const end = ((turn.ended_at ?? now) - from) * scale;
      bar.hidden = end <= 0;
      promise.hidden = Boolean(turn.ended_at) || turn.guaranteed_until <= now;
      bar.style.left = `${begin}%`;
      bar.style.width = `${Math.max(end - begin, 0.1)}%`;
      promise.style.left = `${end}%`;
      promise.style.width = `${Math.min((turn.guaranteed_until - from) * scale, 100) - end}%`;
      const text = ((end - begin) * width) / 100 > WIDE_ENOUGH ? `${turn.job} ${turn.name}` : "";
      if (bar.textContent !== text) bar.textContent = text;
    }
    const label = getComputedStyle(this.chart).getPropertyValue("--label");
    this.nowLine.style.left = `calc(${label} + (100% - ${label}) * ${(now - from) / (until - from)})`;
    this.drawAxis(from, until, now, scale, width);
  }

  drawAxis(from, until, now, scale, width) {
    const step = TICKS_S.find((s) => (until - from) / s <= Math.max(width / 95, 3)) ?? 86400;
    const offset = new Date().getTimezoneOffset() * 60;
    const ticks = [];
    for (let at = Math.ceil((from - offset) / step) * step + offset; at < until; at += step) {
      const left = (at - from) * scale;
      if (left < 2 || left > 98 || Math.abs(at - now) < step * 0.3) continue;
      const tick = make("span", {}, time(at, step < 60 ? at : now + 3600));
      tick.style.left = `${left}%`;
      ticks.push(tick);
    }
    this.axis.replaceChildren(...ticks);
  }

  point(event) {
    const drawn = this.bars.get(event.target.closest?.(".bar")?.dataset.key);
    if (drawn) this.details.textContent = this.sentence(drawn.turn);
  }

  sentence(turn) {
    const number = turn.id.split(".").pop();
    const at = this.board.at;
    const who = `Job ${turn.job} ${turn.name}, of ${turn.member}, project ${turn.project}: turn ${number}, from ${time(turn.began_at, at)}`;
    if (turn.ended_at) return `${who} to ${time(turn.ended_at, at)} (${span(turn.ended_at - turn.began_at)}), ${turn.outcome}.`;
    if (turn.state === "ending") return `${who}, is saving its work and then ends.`;
    const said = turn.guaranteed_until > at ? `guaranteed until ${time(turn.guaranteed_until, at)}` : "goes on while nobody entitled waits";
    return `${who}, ${said}${this.expected(turn.forecast, at)}.`;
  }

  /** What comes after the present turn, as far as it is known. */
  expected(forecast, at) {
    const again = forecast?.begin ? `; its next turn: ${sayRange(forecast.begin, at)}` : "";
    return forecast?.finish ? `${again}; done: ${sayRange(forecast.finish, at)}` : again;
  }
}
