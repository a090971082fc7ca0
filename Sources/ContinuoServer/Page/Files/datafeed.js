// A Datafeed for TradingView's charting library: history by UDF, live bars by the stream.
//
//   <script src="http://127.0.0.1:8321/udf/datafeed.js"></script>
//   new TradingView.widget({ datafeed: new ContinuoDatafeed(), symbol: "ART", … });
//
// Invariant: a bar never goes back in time; whatever changes before the newest bar has the client ask again.
// Not here: the routes (docs/http.md), the page's own stream (stream.js).
"use strict";
{
  const intervals = { 1: "1m", 5: "5m", 15: "15m", 60: "1h", 240: "4h", "1D": "1d", D: "1d", "1W": "1w", W: "1w" };
  const origin = new URL(document.currentScript?.src ?? location.href).origin;

  class ContinuoDatafeed {
    #url;
    #token;
    #configuration;
    #listeners = new Map();
    #source = null;
    #followed = "";
    #timer = null;

    /** `url`: where Continuo is, by default where this file came from; `token`: for servers that want one to read. */
    constructor({ url = origin, token } = {}) {
      this.#url = url;
      this.#token = token;
    }

    #address(path, names) {
      const address = new URL(path, this.#url);
      for (const [name, value] of names) if (value !== undefined) address.searchParams.append(name, value);
      if (this.#token) address.searchParams.append("access_token", this.#token);
      return address;
    }

    async #ask(path, names = {}) {
      const answer = await fetch(this.#address(path, Object.entries(names)));
      if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
      return answer.json();
    }

    // The callbacks are called later, as the library wants it, never before the call returns.

    onReady(done) {
      this.#configuration ??= this.#ask("/udf/config");
      this.#configuration.then(done, (problem) => { this.#configuration = undefined; console.error(problem); });
    }

    getServerTime(done) {
      fetch(this.#address("/udf/time", [])).then(async (answer) => answer.ok && done(Number(await answer.text())), console.error);
    }

    searchSymbols(query, exchange, type, done) {
      this.#ask("/udf/search", { query, exchange, type, limit: 30 }).then((found) => done(Array.isArray(found) ? found : []), () => done([]));
    }

    resolveSymbol(symbol, done, failed) {
      this.#ask("/udf/symbols", { symbol }).then(
        (found) => (found.s === "error" ? failed(found.errmsg) : done(found)), (problem) => failed(problem.message));
    }

    getBars(symbol, resolution, { from, to, countBack }, done, failed) {
      this.#ask("/udf/history", { symbol: symbol.ticker ?? symbol.name, resolution, from, to, countback: countBack }).then((told) => {
        if (told.s === "error") return failed(told.errmsg);
        if (told.s === "no_data") return done([], { noData: true, nextTime: told.nextTime });
        done(told.t.map((time, index) => ({
          time: time * 1000, open: told.o[index], high: told.h[index], low: told.l[index], close: told.c[index], volume: told.v[index],
        })), { noData: false });
      }, (problem) => failed(problem.message));
    }

    subscribeBars(symbol, resolution, tick, id, reset) {
      const [token, interval] = [symbol.ticker ?? symbol.name, intervals[resolution]];
      if (interval) this.#listeners.set(id, { token, interval, tick, reset: reset ?? (() => {}), time: -Infinity });
      this.#connectSoon();
    }

    unsubscribeBars(id) {
      this.#listeners.delete(id);
      this.#connectSoon();
    }

    /** One connection for all that is followed: several changes at once are one new connection. */
    #connectSoon() {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#connect(), 50);
    }

    #connect() {
      const all = [...this.#listeners.values()];
      const address = this.#address("/v1/stream", [
        ...[...new Set(all.map((one) => one.token))].sort().map((token) => ["token", token]),
        ...[...new Set(all.map((one) => one.interval))].sort().map((interval) => ["interval", interval]),
        ["time", "ms"],
      ]).href;
      if (all.length > 0 && address === this.#followed) return;
      // What happens between two connections is asked for again.
      const known = this.#source ? all.filter((one) => one.time !== -Infinity) : [];
      this.#source?.close();
      [this.#source, this.#followed] = [null, ""];
      if (all.length === 0) return;
      this.#followed = address;
      this.#source = new EventSource(address);
      this.#source.addEventListener("candle", (event) => this.#take(JSON.parse(event.data), false));
      this.#source.addEventListener("reset", (event) => this.#take(JSON.parse(event.data), true));
      this.#source.addEventListener("open", () => { for (const one of known.splice(0)) one.reset(); });
    }

    #take({ token, interval, candle }, isReset) {
      for (const one of this.#listeners.values()) {
        if (one.token !== token || one.interval !== interval) continue;
        if (isReset || !candle || candle.bucket < one.time) {
          one.reset();
          continue;
        }
        one.time = candle.bucket;
        one.tick({
          time: candle.bucket, open: Number(candle.open), high: Number(candle.high), low: Number(candle.low),
          close: Number(candle.close), volume: Number(candle.volume_usd),
        });
      }
    }
  }

  globalThis.ContinuoDatafeed = ContinuoDatafeed;
}
