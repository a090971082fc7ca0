// Candles drawn by TradingView's lightweight-charts: the only file that knows it.
// Invariant: numbers are for the chart's geometry and its scale; what is read out comes from the rows.
// Not here: which candles there are (rows.js), what is done about a click (token.js).

import { byId, element } from "./dom.js";
import { amount, decimal, moved, placesOf, price, time, trimmed } from "./text.js";

const modes = { linear: 0, log: 1, percent: 2 };
/** The older page is asked for when so few candles are left of what is seen. */
const candlesAhead = 30;
const scaleDigits = 6;
/** A price with more noughts behind the point is small. */
const smallPlaces = 4;

function load() {
  return new Promise((resolve) => {
    const script = element("script", { src: "/page/lightweight-charts.js" });
    script.addEventListener("load", () => resolve(window.LightweightCharts ?? null));
    script.addEventListener("error", () => resolve(null));
    document.head.append(script);
  });
}

function colour(name) {
  const probe = element("span", { class: name, hidden: "hidden" });
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const faint = (solid) => solid.replace("rgb(", "rgba(").replace(")", ", 0.35)");
const seconds = (row) => Date.parse(row.bucket) / 1000;

/** Labels of a scale: as many digits as tell its marks apart, and the point where it belongs. */
function marks(numbers, shift) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const steps = sorted.slice(1).map((number, index) => number - sorted[index]).filter((step) => step > 0);
  const places = steps.length > 0 ? placesOf(Math.min(...steps), 2) : placesOf(sorted[0] ?? 0, scaleDigits);
  const texts = numbers.map((number) => decimal(number, places));
  // The second digit of a step is there for 2.5 only.
  const isLong = places > 0 && texts.every((text) => text.endsWith("0"));
  return texts.map((text) => price(moved(isLong ? text.slice(0, -1).replace(/\.$/, "") : text, -shift), 40));
}

/** A mark of the time scale: what changes there, in the zone that is shown. */
function tick(when, kind, zone) {
  const options = [{ year: "numeric" }, { month: "short" }, { day: "numeric", month: "short" }][kind]
    ?? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat("en-GB", { ...options, ...(zone === "utc" ? { timeZone: "UTC" } : {}) }).format(when * 1000);
}

/**
 * A chart in an element; null where its code is not on the server. `on` has functions: `read` (a row or null), `click` (a row),
 * `early` (older candles are wanted). `zone` says in which zone.
 */
export async function makeChart(place, zone, on) {
  const library = await load();
  if (!library) return null;
  const chart = library.createChart(place, {
    autoSize: true,
    crosshair: { mode: library.CrosshairMode.Normal },
    rightPriceScale: { scaleMargins: { top: 0.06, bottom: 0.22 } },
    timeScale: { timeVisible: true, rightOffset: 3, tickMarkFormatter: (when, kind) => tick(when, kind, zone()) },
    localization: { timeFormatter: (when) => time(when * 1000, zone()) },
    layout: { attributionLogo: true },
  });
  const candles = chart.addSeries(library.CandlestickSeries, { borderVisible: false });
  const volumes = chart.addSeries(library.HistogramSeries, {
    priceScaleId: "volume", lastValueVisible: false, priceLineVisible: false,
    priceFormat: { type: "custom", minMove: 0.01, formatter: (number) => amount(decimal(number, 2)) },
  });
  volumes.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });

  let [list, cursor, up, down, shift] = [[], null, "", "", 0];

  // The library takes a step of a scale below 10^-14 for none: small prices are drawn with the point moved to the first digit.
  const placed = (text) => Number(moved(text, shift));
  function candle(row) {
    const numbers = { open: placed(row.open), high: placed(row.high), low: placed(row.low), close: placed(row.close) };
    return { time: seconds(row), ...numbers };
  }
  function volume(row) {
    return { time: seconds(row), value: Number(row.volume_usd), color: faint(Number(row.close) < Number(row.open) ? down : up) };
  }
  function rowAt(when) {
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (seconds(list[middle]) < when) low = middle + 1;
      else high = middle;
    }
    return list[low] && seconds(list[low]) === when ? list[low] : null;
  }
  function stepped(row) {
    const size = Number(row.close) > 0 ? Math.floor(Math.log10(Number(row.close))) : 0;
    shift = size < -smallPlaces ? -size : 0;
    const places = Math.max(2, placesOf(placed(row.close), scaleDigits));
    const formatter = (number) => price(trimmed(moved(decimal(number, placesOf(number, scaleDigits)), -shift)), scaleDigits);
    candles.applyOptions({
      priceFormat: {
        type: "custom", minMove: 10 ** -places, base: 10 ** places, formatter, tickmarksFormatter: (numbers) => marks(numbers, shift),
      },
    });
  }

  const made = {
    /** Draws these and no others. */
    draw(rows) {
      list = rows;
      if (rows.length > 0) stepped(rows.at(-1));
      candles.setData(rows.map(candle));
      volumes.setData(rows.map(volume));
    },
    /** Draws the newest of the rows once more, or for the first time. */
    drawLast(rows) {
      list = rows;
      candles.update(candle(rows.at(-1)));
      volumes.update(volume(rows.at(-1)));
    },
    scale(name) {
      candles.priceScale().applyOptions({ mode: modes[name] ?? 0 });
    },
    coloured() {
      [up, down] = [colour("up"), colour("down")];
      const [page, line, text] = ["page", "line", "text"].map((name) => colour("probe-" + name));
      chart.applyOptions({
        layout: { background: { color: page }, textColor: text },
        grid: { vertLines: { color: faint(line) }, horzLines: { color: faint(line) } },
        rightPriceScale: { borderColor: line }, timeScale: { borderColor: line },
      });
      candles.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
      volumes.setData(list.map(volume));
    },
    zoned() {
      chart.applyOptions({ localization: { timeFormatter: (when) => time(when * 1000, zone()) } });
      chart.timeScale().applyOptions({ tickMarkFormatter: (when, kind) => tick(when, kind, zone()) });
    },
    /** Begins another series of candles: the newest are seen. */
    restart() {
      chart.timeScale().resetTimeScale();
      candles.priceScale().applyOptions({ autoScale: true });
    },
    /** Puts the cursor on a row, which is made visible. */
    point(row) {
      cursor = row;
      if (!row) return chart.clearCrosshairPosition();
      const index = list.indexOf(row);
      const seen = chart.timeScale().getVisibleLogicalRange();
      if (seen && (index < seen.from + 1 || index > seen.to - 1)) {
        const width = seen.to - seen.from;
        const from = index < seen.from + 1 ? index - 1 : index + 1 - width;
        chart.timeScale().setVisibleLogicalRange({ from, to: from + width });
      }
      chart.setCrosshairPosition(placed(row.close), seconds(row), candles);
    },
    get pointed() { return cursor; },
    /** What is drawn, by how many places its point is moved, and where a row is in the picture: for tests. */
    drawn: () => candles.data(),
    shift: () => shift,
    x: (row) => chart.timeScale().timeToCoordinate(seconds(row)),
  };
  chart.subscribeCrosshairMove((event) => on.read(event.time === undefined ? null : rowAt(event.time)));
  chart.subscribeClick((event) => {
    const row = event.time === undefined ? null : rowAt(event.time);
    if (row) on.click(row);
  });
  chart.timeScale().subscribeVisibleLogicalRangeChange((seen) => { if (seen && seen.from < candlesAhead) on.early(); });
  made.coloured();
  byId("chart").continuoChart = made;
  return made;
}
