// Trades, holders and candles of a token as tables, one at a time.
// Invariant: the table that is seen is asked for again, no other.
// Not here: the chart (chart.js).

import { ask, csv, query, tokenPath } from "./api.js";
import { byId, download, element, figure, fill, keep, press, state, tell } from "./dom.js";
import { amount, price, rounded, time } from "./text.js";

const rowsAtFirst = 50;
const rowsMax = 5000;

const moment = (text, withSeconds) => element("span", { title: text }, time(text, state("zone"), withSeconds));
const code = (text) => element("span", { class: "code", title: text }, text.length > 20 ? text.slice(0, 10) + "…" + text.slice(-6) : text);

function trade(row) {
  return [
    moment(row.timestamp, true), element("span", { class: { buy: "up", sell: "down" }[row.side] ?? "" }, row.side ?? "–"),
    figure(price(row.price_usd), row.price_usd), figure(amount(row.amount_usd), row.amount_usd),
    figure(amount(row.token_amount), row.token_amount), row.wallet ? code(row.wallet) : "–",
  ];
}

function holder(row) {
  const share = row.share_percent;
  return [
    String(row.rank), code(row.address), figure(amount(row.balance), row.balance),
    share === null ? "–" : figure(rounded(share, 2) + "%", share),
  ];
}

function candle(row) {
  const prices = [row.open, row.high, row.low, row.close].map((text) => figure(price(text), text));
  return [moment(row.bucket), ...prices, figure(amount(row.volume_usd), row.volume_usd), String(row.trades)];
}

/** Shows the tables of a token; `rows` lends the candles that are drawn, `instead` is the table to begin with if none is asked for. */
export function showTables(token, rows, instead) {
  const buttons = [...byId("tab").querySelectorAll("button")];
  const names = buttons.map((button) => button.value);
  const asked = new URLSearchParams(location.search).get("tab") ?? instead ?? state("tab");
  let tab = names.includes(asked) ? asked : names[0];
  let limit = rowsAtFirst;

  function note(text, hasMore) {
    byId("rows-note").textContent = text;
    byId("rows-note").hidden = !text;
    byId("more").hidden = !hasMore || limit >= rowsMax;
  }

  const tables = {
    /** Shows the candles once more, where they are what is seen. */
    candles() {
      if (tab !== "candles") return;
      fill(byId("candles"), rows().slice(-limit).reverse().map(candle), "No candles");
      note("", rows().length > limit);
    },
    /** Asks for the table that is seen once more. */
    async refresh() {
      const mine = tab;
      if (mine === "candles") return tables.candles();
      const { body } = await ask(query(tokenPath(token, "/" + mine), { limit: String(limit) }));
      if (mine !== tab) return;
      if (mine === "trades") fill(byId("trades"), body.trades.map(trade), "No trades are held");
      else fill(byId("holders"), body.holders.map(holder), "Nobody holds this token, or its transfers are not known");
      note(mine === "holders" && body.holders_incomplete ? "Part of the history is missing: balances may be incomplete." : "", body.next);
    },
  };

  const guarded = async (work) => { try { await work(); } catch (problem) { tell(problem); } };
  function choose(name) {
    [tab, limit] = [name, rowsAtFirst];
    press(buttons, tab);
    for (const one of names) byId(one).hidden = one !== tab;
    return guarded(tables.refresh);
  }
  for (const button of buttons) button.addEventListener("click", () => { keep("tab", button.value); choose(button.value); });
  byId("more").addEventListener("click", () => { limit = Math.min(rowsMax, limit * 4); guarded(tables.refresh); });
  byId("save-rows").addEventListener("click", () => guarded(async () => {
    const names = { limit: String(limit) };
    if (tab === "candles") Object.assign(names, { interval: state("interval"), fill: state("fill") === "1" ? "previous" : "" });
    download(`${token}-${tab}.csv`, await csv(query(tokenPath(token, "/" + tab), names), false));
  }));
  press(buttons, tab);
  for (const one of names) byId(one).hidden = one !== tab;
  return tables;
}
