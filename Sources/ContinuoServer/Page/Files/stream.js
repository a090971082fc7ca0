// Live candles: one connection to the server for all tabs of a browser.
// Invariant: the tab that holds the lock has the connection, and says on the channel what comes; when it goes, the next one has it.
// Not here: what a tab makes of it (rows.js, token.js).

import { access, query } from "./api.js";

const name = "continuo-stream";
/** A server without the route is asked again after so long. */
const retryMilliseconds = 60_000;
const tidyMilliseconds = 10_000;

/**
 * Follows one token at one interval. `on` has functions for what comes: `candle`, `reset`, `open` (after it all that is shown
 * is to be asked for again), `down` (nothing comes now).
 */
export function follow(token, on) {
  const me = name + "-" + Math.random().toString(36).slice(2);
  const isShared = navigator.locks !== undefined && window.BroadcastChannel !== undefined;
  const channel = isShared ? new BroadcastChannel(name) : null;
  let wanted = null;
  let lead = null;

  function take(message) {
    if (message.kind === "open" || message.kind === "down") on[message.kind]();
    else if (message.data?.token === token && message.data.interval === wanted) on[message.kind]?.(message.data);
  }
  const announce = () => channel?.postMessage({ kind: "want", tab: me, token, interval: wanted });

  channel?.addEventListener("message", ({ data: message }) => {
    if (message.kind === "who") announce();
    else if (message.kind === "want") lead?.want(message);
    else take(message);
  });

  function become() {
    lead = leader((message) => {
      take(message);
      channel?.postMessage(message);
    });
    lead.want({ tab: me, token, interval: wanted });
    channel?.postMessage({ kind: "who" });
  }

  if (isShared) {
    // Held as long as this tab is there: so the one that leads knows who has gone.
    navigator.locks.request(me, () => new Promise(() => {}));
    navigator.locks.request(name, () => { become(); return new Promise(() => {}); });
  } else become();

  return {
    /** Follows another interval from now on. */
    interval(interval) {
      wanted = interval;
      if (lead) lead.want({ tab: me, token, interval });
      else announce();
    },
  };
}

/** The one that has the connection. */
function leader(say) {
  const wants = new Map();
  let [source, url, timer] = [null, "", null];

  function connect() {
    const all = [...wants.values()].filter((want) => want.interval);
    const next = query("/v1/stream", {
      token: [...new Set(all.map((want) => want.token))].sort(),
      interval: [...new Set(all.map((want) => want.interval))].sort(),
      access_token: access.token,
    });
    if (all.length === 0 || next === url) return;
    source?.close();
    url = next;
    source = new EventSource(url);
    for (const kind of ["candle", "reset"]) {
      source.addEventListener(kind, (event) => say({ kind, data: JSON.parse(event.data) }));
    }
    source.addEventListener("open", () => say({ kind: "open" }));
    source.addEventListener("error", () => {
      say({ kind: "down" });
      // A browser connects again by itself, but not where the answer was no stream.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => { url = ""; connect(); }, retryMilliseconds);
    });
  }

  async function tidy() {
    const { held } = await navigator.locks.query();
    const there = new Set(held.map((lock) => lock.name));
    for (const tab of [...wants.keys()]) if (!there.has(tab)) wants.delete(tab);
    connect();
  }
  if (navigator.locks) setInterval(tidy, tidyMilliseconds);

  return {
    want(want) {
      wants.set(want.tab, want);
      clearTimeout(timer);
      timer = setTimeout(connect, 50);
    },
  };
}
