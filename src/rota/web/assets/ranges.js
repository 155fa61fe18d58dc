// Ranges of moments in people's words, in the browser's own zone. domain/ranges.py says the same in a terminal.

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const STEPS = [[20, 5], [100, 10], [5 * MINUTE, MINUTE], [45 * MINUTE, 5 * MINUTE], [3 * HOUR, 10 * MINUTE], [6 * HOUR, 30 * MINUTE]];
const WIDEST = HOUR; // step of what is wider, as long as it is said by the clock
const HALF_DAYS = 36 * HOUR; // a wider range is said in mornings and afternoons,
const DAYS = 4 * DAY; // and one that is still wider in days
const NEAR = HOUR; // what is over within so long is said from now on
const ABOUT = 30 * MINUTE; // a likely moment that is rounded so much is about then
const AT_ONCE = 2;
const OVERDUE = 60;
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `today 14:10-16:30, likely 15:00`; the range is { early, likely, late } in epoch seconds. */
export function sayRange(told, now, hasLikely = true) {
  if (told.late < now - OVERDUE) return `later than expected (by ${clock(local(told.late))})`;
  if (told.late <= now + AT_ONCE) return "now";
  const width = told.late - Math.max(told.early, now);
  const step = STEPS.find(([widest]) => width <= widest)?.[1] ?? WIDEST;
  if (told.late <= now + NEAR) return fromNowOn(told, now, step, hasLikely);
  if (width > HALF_DAYS) return inParts(told, now, width > DAYS, hasLikely);
  return byTheClock(told, now, Math.max(step, MINUTE), hasLikely);
}

function fromNowOn(told, now, step, hasLikely) {
  let first = Math.max(Math.floor((told.early - now) / step), 0) * step;
  let last = Math.ceil((told.late - now) / step) * step;
  const [unit, name] = step < MINUTE && last < 2 * MINUTE ? [1, "s"] : [MINUTE, "min"];
  first = Math.floor(first / unit) * unit;
  last = Math.ceil(last / unit) * unit;
  const grain = Math.max(step, unit);
  const likely = Math.min(Math.max(Math.floor((told.likely - now) / grain + 0.5) * grain, first), last);
  const said = first <= 0 ? `within ${last / unit} ${name}` : first === last ? `in ${last / unit} ${name}` : `in ${first / unit}-${last / unit} ${name}`;
  return hasLikely && last - first >= 4 * grain && likely > 0 ? `${said}, likely ${Math.floor(likely / unit)} ${name}` : said;
}

function byTheClock(told, now, step, hasLikely) {
  const first = floor(Math.max(told.early, now), step);
  const low = floor(told.late, step);
  const last = low === told.late ? low : low + step;
  const likely = Math.min(Math.max(floor(told.likely + step / 2, step), first), last);
  const [begin, end, today, middle] = [first, last, now, likely].map(local);
  const hasZones = begin.getTimezoneOffset() !== end.getTimezoneOffset();
  const say = (moment) => (hasZones ? `${clock(moment)} ${zone(moment)}` : clock(moment));
  const sayEnd = () => (clock(end) === "0:00" ? say(end).replace("0:00", "24:00") : say(end));
  const isOneDay = dayNumber(begin) === dayNumber(local(last - MINUTE));
  let said;
  if (first <= now) {
    const isTonight = dayNumber(today) === dayNumber(local(last - MINUTE));
    said = isTonight ? `today by ${sayEnd()}` : `by ${day(end, today)} ${say(end)}`;
  } else if (first === last) said = `${day(begin, today)} ${say(begin)}`;
  else if (isOneDay) said = `${day(begin, today)} ${say(begin)}-${sayEnd()}`;
  else said = `${day(begin, today)} ${say(begin)} to ${day(end, today)} ${say(end)}`;
  if (!hasLikely || last - first <= 2 * step || likely <= now) return said;
  const when = `${step >= ABOUT ? "about " : ""}${say(middle)}`;
  return `${said}, likely ${isOneDay && dayNumber(middle) === dayNumber(begin) ? when : `${day(middle, today)} ${when}`}`;
}

function inParts(told, now, isInDays, hasLikely) {
  const today = local(now);
  const part = (at) => {
    const moment = local(at);
    return isInDays ? date(moment, today) : `${day(moment, today)} ${moment.getHours() < 12 ? "morning" : "afternoon"}`;
  };
  const [first, last] = [told.early, told.late].map(part);
  const [[number, ...month], [, ...sameMonth]] = [first.split(" "), last.split(" ")];
  const both = isInDays && String(month) === String(sameMonth) ? `${number}-${last}` : `${first} to ${last}`;
  const said = told.early <= now ? `by ${last}` : both;
  return hasLikely && told.likely > now ? `${said}, likely ${part(told.likely)}` : said;
}

/** The last moment at which the clock on the wall showed a whole step. */
function floor(at, step) {
  const moment = local(at);
  const into = (moment.getHours() * HOUR + moment.getMinutes() * MINUTE + moment.getSeconds()) % step;
  return Math.floor(at) - into;
}

function local(at) {
  return new Date(at * 1000);
}

function clock(moment) {
  return `${moment.getHours()}:${String(moment.getMinutes()).padStart(2, "0")}`;
}

function zone(moment) {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(moment);
  return parts.find((part) => part.type === "timeZoneName").value;
}

function dayNumber(moment) {
  return Date.UTC(moment.getFullYear(), moment.getMonth(), moment.getDate()) / (DAY * 1000);
}

function day(moment, today) {
  const days = dayNumber(moment) - dayNumber(today);
  if (Math.abs(days) <= 1) return ["yesterday", "today", "tomorrow"][days + 1];
  return days > 1 && days < 7 ? WEEKDAYS[moment.getDay()] : date(moment, today);
}

function date(moment, today) {
  const said = `${moment.getDate()} ${MONTHS[moment.getMonth()]}`;
  return Math.abs(dayNumber(moment) - dayNumber(today)) > 300 ? `${said} ${moment.getFullYear()}` : said;
}
