// Decimals and times as people read them.
// Invariant: a decimal is the text that the server sent, rounded as text; it is never a Number on its way to the reader.
// Not here: elements (dom.js), where the chart stands (chart.js).

const subscripts = "₀₁₂₃₄₅₆₇₈₉";
/** So many noughts behind the point are counted instead of written: 0.0₆123. */
const zerosWrittenMax = 3;

function parts(text) {
  const isNegative = text.startsWith("-");
  const [whole, fraction = ""] = (isNegative ? text.slice(1) : text).split(".");
  return { isNegative, whole, fraction };
}

/** A decimal with at most so many fractional digits, half rounded away from zero. */
export function rounded(text, places) {
  const { isNegative, whole, fraction } = parts(text);
  if (fraction.length <= places) return text;
  const kept = BigInt(whole + fraction.slice(0, places)) + (fraction[places] >= "5" ? 1n : 0n);
  const digits = kept.toString().padStart(places + 1, "0");
  const point = digits.length - places;
  const rest = digits.slice(point).replace(/0+$/, "");
  return (isNegative && kept > 0n ? "-" : "") + digits.slice(0, point) + (rest ? "." + rest : "");
}

/** A price in a few digits: 1,234.5 or 0.0₆123; null is a dash. */
export function price(text, digits = 5) {
  if (text === null || text === undefined) return "–";
  if (!/[1-9]/.test(text)) return "0";
  const { whole, fraction } = parts(text);
  const zeros = fraction.length - fraction.replace(/^0+/, "").length;
  const places = whole === "0" ? zeros + digits : Math.max(2, digits - whole.length);
  const short = parts(rounded(text, places));
  const shortZeros = short.fraction.length - short.fraction.replace(/^0+/, "").length;
  let rest = short.fraction;
  if (short.whole === "0" && shortZeros > zerosWrittenMax) {
    rest = "0" + [...String(shortZeros)].map((digit) => subscripts[digit]).join("") + rest.slice(shortZeros);
  }
  const grouped = short.whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return (short.isNegative ? "−" : "") + grouped + (rest ? "." + rest : "");
}

/** A large figure in a few digits: 12.5K, 3.4M. */
export function amount(text) {
  if (text === null || text === undefined) return "–";
  const { isNegative, whole, fraction } = parts(text);
  for (const [shift, unit] of [[12, "T"], [9, "B"], [6, "M"], [4, "K"]]) {
    const moved = unit === "K" ? 3 : shift;
    if (whole.length <= shift) continue;
    const point = whole.length - moved;
    return (isNegative ? "−" : "") + price(rounded(whole.slice(0, point) + "." + whole.slice(point) + fraction, 2)) + unit;
  }
  return price(text);
}

/** A percentage with its sign. */
export function percent(text) {
  if (text === null || text === undefined) return "–";
  const short = rounded(text, 2);
  return (short.startsWith("-") ? "" : "+") + price(short, 7) + "%";
}

/** Which way a figure points: "up", "down" or "". */
export function direction(text) {
  if (!text || /^-?[0.]*$/.test(text)) return "";
  return text.startsWith("-") ? "down" : "up";
}

/** A number of the chart's scale as a decimal. */
export function decimal(number, places) {
  return number.toFixed(Math.min(100, Math.max(0, places)));
}

/** A decimal without the noughts at its end. */
export const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

/** A decimal times a power of ten: its point moved, to the right where `by` is positive. */
export function moved(text, by) {
  const { isNegative, whole, fraction } = parts(text);
  const digits = by < 0 ? whole.padStart(1 - by, "0") + fraction : whole + fraction.padEnd(by, "0");
  const point = Math.max(1, whole.length + by);
  const rest = digits.slice(point);
  return (isNegative ? "-" : "") + digits.slice(0, point).replace(/^0+(?=\d)/, "") + (rest ? "." + rest : "");
}

/** How many fractional digits show a number to so many digits. */
export function placesOf(number, digits) {
  const size = Math.abs(number);
  return size > 0 ? Math.max(0, digits - 1 - Math.floor(Math.log10(size))) : 0;
}

/** An instant in UTC or in the zone of this machine; with seconds, or to the minute. */
export function time(text, zone, withSeconds = false) {
  const options = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (withSeconds) options.second = "2-digit";
  if (zone === "utc") options.timeZone = "UTC";
  return new Intl.DateTimeFormat("en-GB", options).format(new Date(text));
}

/** What a zone is called, with its distance from UTC. */
export function zoneName(zone) {
  if (zone === "utc") return "UTC";
  const minutes = -new Date().getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const distance = (minutes < 0 ? "−" : "+") + String(hours).padStart(2, "0") + ":" + String(rest).padStart(2, "0");
  return Intl.DateTimeFormat().resolvedOptions().timeZone + " (UTC" + distance + ")";
}
