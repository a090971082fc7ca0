// The list: tokens by rank or by name; what to do where there are none.
// Not here: taking files (intake.js).

import { ask, query } from "./api.js";
import { byId, element, figure, fill, keep, movingPrice, press, state, tell, tokenURL } from "./dom.js";
import { takeFiles } from "./intake.js";
import { amount, direction, percent, price } from "./text.js";

const refreshMilliseconds = 2000;
const placesShown = 100;

function cells(row) {
  const change = row.change_24h_percent;
  return [
    element("a", { href: tokenURL(row.token), title: row.token }, row.label ?? row.token),
    movingPrice(row.token, price(row.last_price_usd), row.last_price_usd),
    figure(percent(change), change, direction(change)),
    figure(amount(row.volume_24h_usd), row.volume_24h_usd),
    figure(amount(row.market_cap_usd), row.market_cap_usd),
    row.holders === null ? "–" : String(row.holders),
  ];
}

/** The rows to show: of a search by name, else the ranking. */
async function rows() {
  if (state("q")) return (await ask(query("/v1/tokens", { q: state("q"), limit: placesShown }))).body.tokens;
  return (await ask(query("/v1/top", { by: state("by"), limit: placesShown }))).body.top;
}

function firstEvent() {
  const event = {
    block: 1, timestamp: new Date().toISOString(), token: "ART", side: "buy", amount_usd: "12.5", token_amount: "5",
  };
  return `curl -H 'Content-Type: application/x-ndjson' --data '${JSON.stringify(event)}' ${location.origin}/v1/events`;
}

export function showList() {
  const buttons = [...byId("by").querySelectorAll("button")];
  byId("search").value = state("q");
  press(buttons, state("by"));
  let latest = 0;

  async function show() {
    const mine = ++latest;
    try {
      const found = await rows();
      // A later question was asked meanwhile: its answer counts.
      if (mine !== latest) return;
      let isEmpty = false;
      // A ranking may be empty although there are tokens.
      if (found.length === 0 && !state("q")) isEmpty = (await ask("/v1/tokens?limit=1")).body.tokens.length === 0;
      byId("list").hidden = isEmpty;
      if (isEmpty && byId("teach").hidden) byId("command").textContent = firstEvent();
      byId("teach").hidden = !isEmpty;
      byId("intake").hidden = false;
      fill(byId("tokens"), found.map(cells), state("q") ? `No token has “${state("q")}” in its name` : "No token has this figure");
      tell(null);
    } catch (problem) {
      tell(problem);
    }
  }

  byId("search").addEventListener("input", () => { keep("q", byId("search").value.trim()); show(); });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      keep("by", button.value);
      press(buttons, button.value);
      show();
    });
  }
  byId("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(byId("command").textContent);
      byId("copy").textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(byId("command"));
    }
  });
  takeFiles(show);
  // What somebody is about to click or reads with a keyboard stays where it is.
  setInterval(() => { if (!document.hidden && !byId("tokens").contains(document.activeElement)) show(); }, refreshMilliseconds);
  show();
}
