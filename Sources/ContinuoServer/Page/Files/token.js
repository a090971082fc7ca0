// A token's page: figures, chart, the cursor that walks it, why a candle is what it is, and rows below.
// Invariant: what is shown is asked for again when the stream says so, or every second where there is none.
// Not here: drawing (chart.js), candles and their pages (rows.js), tables of trades and holders (tables.js).

import { ask, query, tokenPath } from "./api.js";
import { makeChart } from "./chart.js";
import { byId, download, element, figure, fill, keep, movingPrice, press, state, tell } from "./dom.js";
import { Rows } from "./rows.js";
import { follow } from "./stream.js";
import { showTables } from "./tables.js";
import { amount, direction, percent, price, time, zoneName } from "./text.js";

const windows = ["5m", "1h", "6h", "24h", "7d"];
const tickMilliseconds = 1000;
/** With a stream, what it does not bring is asked for every so many ticks, or when a candle came. */
const ticksWithStream = 5;

const zone = () => state("zone");

/** A candle in words. */
function spoken(row) {
  const text = `${time(row.bucket, zone())} ${zone() === "utc" ? "UTC" : "local time"}: open ${row.open}, high ${row.high}, `
    + `low ${row.low}, close ${row.close}, volume ${row.volume_usd} dollars, ${row.trades} trades`;
  return text + (row.closed ? "" : ", not closed yet");
}

function readOut(row) {
  if (!row) return byId("readout").replaceChildren();
  const change = row.close === row.open ? "" : Number(row.close) > Number(row.open) ? "up" : "down";
  const part = (name, short, full) => element("span", {}, element("b", {}, name), " ", figure(short, full, change));
  byId("readout").replaceChildren(
    element("span", { title: row.bucket }, time(row.bucket, zone())),
    part("O", price(row.open), row.open), part("H", price(row.high), row.high), part("L", price(row.low), row.low),
    part("C", price(row.close), row.close), part("Vol", amount(row.volume_usd), row.volume_usd),
    part("Trades", String(row.trades), String(row.trades)));
}

function showFigures(stats) {
  byId("name").textContent = stats.label ?? stats.token;
  byId("name").title = stats.token;
  byId("price").replaceChildren(movingPrice(stats.token, "$" + price(stats.last_price_usd), stats.last_price_usd));
  byId("change").replaceChildren(
    figure(percent(stats.change_24h_percent) + " 24 h", stats.change_24h_percent, direction(stats.change_24h_percent)));
  fill(byId("windows"), windows.map((name) => {
    const found = stats.windows[name];
    // It would need events from before what is kept.
    if (!found) return [name, "–", "–", "–", "–", "–"];
    const change = found.change_percent;
    return [
      name, figure(percent(change), change, direction(change)), figure("$" + amount(found.volume_usd), found.volume_usd),
      String(found.buys), String(found.sells), String(found.traders),
    ];
  }), "");
}

async function why(token, interval, bucket) {
  keep("why", bucket);
  if (!bucket) { byId("why").hidden = true; return; }
  const { body } = await ask(query(tokenPath(token, "/explain"), { interval, bucket }));
  byId("why-title").textContent = `Why this number: ${interval} from ${time(bucket, zone())}`;
  fill(byId("events"), body.events.map((event) => [
    event.role, figure(price(event.price, 12), event.price), element("span", { title: event.timestamp }, time(event.timestamp, zone(), true)),
    String(event.chain), String(event.block), String(event.log_index),
  ]), "No trade in this bucket: the price is the one before");
  byId("why").hidden = false;
}

/** Shows a token, and what comes of it. */
export async function showToken(token) {
  byId("token").hidden = false;
  byId("name").textContent = token;
  document.title = token + " · Continuo";
  const intervals = [...byId("interval").querySelectorAll("button")];
  const scales = [...byId("scale").querySelectorAll("button")];
  let [rows, isLive, ticks, isDue, isBusy] = [null, false, 0, false, false];

  const guard = (work) => async (...given) => {
    try {
      await work(...given);
      tell(null);
    } catch (problem) {
      tell(problem);
    }
  };
  const explain = guard(async (row) => {
    await why(token, rows?.interval, row?.bucket ?? "");
    if (row) byId("why-title").focus();
  });
  const early = guard(async () => { if (rows && await rows.older()) draw(); });
  const chart = await makeChart(byId("chart"), zone, { read: (row) => readOut(row ?? chart?.pointed ?? rows?.list.at(-1)), click: explain, early });
  byId("chart").hidden = !chart;
  byId("keys").hidden = !chart;
  byId("no-chart").hidden = Boolean(chart);
  const tables = showTables(token, () => rows?.list ?? [], chart ? null : "candles");

  function draw() {
    chart?.draw(rows.list);
    // The row with the same bucket may be another one now.
    const pointed = chart?.pointed && rows.list[rows.index(chart.pointed.bucket)];
    if (pointed) chart.point(pointed);
    readOut(pointed ?? rows.list.at(-1));
    tables.candles();
  }

  const restart = guard(async () => {
    const mine = new Rows(token, state("interval"), state("fill") === "1");
    press(intervals, mine.interval);
    byId("fill").setAttribute("aria-pressed", String(mine.isFilled));
    byId("chart").setAttribute("aria-label", `Candles of ${mine.interval}`);
    await mine.refresh();
    // Another interval was chosen meanwhile.
    if (mine.interval !== state("interval") || mine.isFilled !== (state("fill") === "1")) return;
    rows = mine;
    chart?.point(null);
    draw();
    chart?.restart();
    live.interval(rows.interval);
    // What came while these were asked for went to those before.
    if (isLive) refresh(true);
  });

  const refresh = guard(async (all) => {
    const mine = rows;
    if (all && mine && await mine.refresh() && mine === rows) draw();
    showFigures((await ask(query(tokenPath(token), { window: windows }))).body);
    await tables.refresh();
  });

  const live = follow(token, {
    candle(event) {
      if (!rows) return;
      isDue = true;
      const change = rows.apply(event);
      if (change === "unknown") return refresh(true);
      if (change === "last" && chart) { chart.drawLast(rows.list); if (!chart.pointed) readOut(rows.list.at(-1)); tables.candles(); }
      else draw();
    },
    reset() { if (rows) { rows.tag = null; refresh(true); } },
    open() { isLive = true; byId("live").textContent = "Live"; refresh(true); },
    down() { isLive = false; byId("live").textContent = "Every second"; },
  });

  setInterval(async () => {
    ticks += 1;
    // Its first event may still come.
    if (!rows) { if (ticks % ticksWithStream === 0) restart(); return; }
    if (document.hidden || isBusy || (isLive && !isDue && !rows.isStale && ticks % ticksWithStream !== 0)) return;
    [isBusy, isDue] = [true, false];
    await refresh(!isLive || rows.isStale);
    isBusy = false;
  }, tickMilliseconds);

  for (const button of intervals) button.addEventListener("click", () => { keep("interval", button.value); explain(null); restart(); });
  for (const button of scales) {
    button.addEventListener("click", () => { keep("scale", button.value); press(scales, button.value); chart?.scale(button.value); });
  }
  byId("fill").addEventListener("click", () => { keep("fill", state("fill") === "1" ? "" : "1"); restart(); });
  byId("save-candles").addEventListener("click", guard(async () => download(`${token}-${rows.interval}.csv`, await rows.csv())));
  byId("why-close").addEventListener("click", () => { explain(null); byId("chart").focus(); });
  document.addEventListener("continuo-theme", () => chart?.coloured());
  const zoned = () => {
    byId("zone-name").textContent = `Times in ${zoneName(zone())}.`;
    chart?.zoned();
    readOut(chart?.pointed ?? rows?.list.at(-1));
    tables.refresh();
    if (state("why") && rows) guard(why)(token, rows.interval, state("why"));
  };
  document.addEventListener("continuo-zone", zoned);
  if (chart) walk(chart, () => rows, early, explain);

  press(scales, state("scale"));
  chart?.scale(state("scale"));
  byId("zone-name").textContent = `Times in ${zoneName(zone())}.`;
  await restart();
  await refresh(false);
  if (state("why") && rows) await guard(why)(token, rows.interval, state("why"));
}

/** The keys that move the cursor. */
function walk(chart, rows, early, explain) {
  byId("chart").addEventListener("keydown", async (event) => {
    const list = rows()?.list ?? [];
    if (list.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = chart.pointed ? list.indexOf(chart.pointed) : list.length;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: list.length - 1 }[event.key];
    if (event.key === "Enter" && chart.pointed) explain(chart.pointed);
    else if (event.key === "Escape") chart.point(null);
    else if (to !== undefined) {
      const row = list[Math.max(0, Math.min(list.length - 1, to))];
      chart.point(row);
      readOut(row);
      byId("spoken").textContent = spoken(row);
      if (to <= 0) await early();
    } else return;
    event.preventDefault();
  });
}
