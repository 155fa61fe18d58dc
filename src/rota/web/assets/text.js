// Small pieces of text and elements. Everything from outside becomes text, never markup.

const PALETTE = ["#0b5fa5", "#9c3d00", "#00695c", "#8e2a7c", "#4e5b00", "#5b3ba8", "#a3195b", "#37535f"];

/** An element with classes, attributes and children; strings become text nodes. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

/** A project's colour: the same in every browser, until two of the shown projects would share one. */
export function colours(projects) {
  const taken = new Map();
  for (const project of [...projects].sort()) {
    let place = [...project].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 9973, 7) % PALETTE.length;
    for (let tries = 0; tries < PALETTE.length && [...taken.values()].includes(PALETTE[place]); tries += 1) {
      place = (place + 1) % PALETTE.length;
    }
    taken.set(project, PALETTE[place]);
  }
  return taken;
}

const clocks = {
  seconds: new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
  minutes: new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  days: new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
};

/** A time as short as it is clear. */
export function time(at, now) {
  if (at === null || at === undefined) return "";
  const gap = Math.abs(at - now);
  const style = gap < 180 ? clocks.seconds : gap < 12 * 3600 ? clocks.minutes : clocks.days;
  return style.format(new Date(at * 1000));
}

/** A duration in its two largest units. */
export function span(seconds) {
  if (seconds < 1) return "under 1 s";
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  let rest = Math.round(seconds);
  const said = [];
  for (const [unit, name] of parts) {
    if (rest >= unit) said.push(`${Math.floor(rest / unit)} ${name}`);
    rest %= unit;
  }
  return said.slice(0, 2).join(" ");
}
