// The candles that a token's page holds: pages from the newest back, and what has changed in them since.
// Invariant: ascending by bucket, no bucket twice; figures are the server's texts. An answer that is older than what the stream has
// said meanwhile, or than another answer, takes nothing back.
// Not here: drawing them (chart.js).

import { ask, csv, query, tokenPath } from "./api.js";

const pageRows = 500;
const rowsMax = 5000;

export class Rows {
  constructor(token, interval, isFilled) {
    Object.assign(this, { token, interval, isFilled, list: [], next: null, tag: null, isLoading: false });
    // Refreshes that were asked for and the newest that was answered; questions on their way, and what the stream has said meanwhile.
    Object.assign(this, { asked: 0, answered: 0, open: 0, heard: [], isStale: false });
  }

  path(names) {
    const all = { interval: this.interval, fill: this.isFilled ? "previous" : "", ...names };
    return query(tokenPath(this.token, "/candles"), all);
  }

  /** Asks a question and has the answer put in; then what the stream has said meanwhile, once more. */
  async question(path, put) {
    const [before, asked] = [this.heard.length, this.asked];
    this.open += 1;
    try {
      const isNews = put(await ask(path));
      // The stream says what there is, not what is added: an event that is older than the answer is followed by one that is not.
      const changes = this.heard.slice(before).map((event) => this.place(event));
      // A refresh that was asked for meanwhile brings what is not known here.
      if (changes.includes("unknown") && this.asked === asked) return await this.refresh() || isNews;
      return isNews || changes.length > 0;
    } finally {
      this.open -= 1;
      if (this.open === 0) this.heard = [];
    }
  }

  /** Asks for all that is held once more, or for the newest page. Whether anything is another now. */
  async refresh() {
    // What the stream has put in by itself is no page.
    const isFirst = this.answered === 0;
    // Where nothing older is left to load, something older may have come since.
    const from = (this.next && !isFirst && this.list[0]?.bucket) || "";
    const mine = ++this.asked;
    // Until something is answered: where that fails, it is asked for again with the next tick.
    this.isStale = true;
    return await this.question(this.path({ limit: isFirst ? pageRows : rowsMax, from }), ({ body, tag }) => {
      if (mine < this.answered) return false;
      [this.answered, this.isStale] = [mine, false];
      if (!isFirst && tag !== null && tag === this.tag) return false;
      // More than one answer has room for: what is older than this one stays as it is.
      const bound = body.next && body.candles.length > 0 ? body.candles[0].bucket : from;
      const kept = isFirst || !bound ? [] : this.list.filter((row) => row.bucket < bound);
      this.list = kept.concat(body.candles);
      if (isFirst || (this.next === null && kept.length === 0)) this.next = body.next;
      this.tag = isFirst ? null : tag;
      return true;
    });
  }

  /** Asks for the page before. Whether there was one. */
  async older() {
    if (!this.next || this.isLoading) return false;
    this.isLoading = true;
    try {
      return await this.question(this.path({ limit: pageRows, cursor: this.next }), ({ body }) => {
        const first = this.list[0]?.bucket;
        this.list = body.candles.filter((row) => first === undefined || row.bucket < first).concat(this.list);
        this.next = body.next;
        this.tag = null;
        return body.candles.length > 0;
      });
    } finally {
      this.isLoading = false;
    }
  }

  /** Puts in what the stream says. "last", "other", or "unknown": then all is to be asked for again. */
  apply(event) {
    if (this.open > 0) this.heard.push(event);
    return this.place(event);
  }

  place(event) {
    const bucket = event.deleted ? event.bucket : event.candle.bucket;
    const last = this.list.at(-1)?.bucket;
    this.tag = null;
    // A bucket that ends is told of, a trade in it or not; what fills it then, the server knows.
    const isEmpty = !event.deleted && (event.candle.open === null || event.candle.trades === 0);
    if (event.deleted || (this.isFilled && (isEmpty || bucket !== last))) return "unknown";
    if (last === undefined || bucket >= last) {
      if (bucket === last) this.list.pop();
      if (!isEmpty) this.list.push(event.candle);
      return isEmpty ? "other" : "last";
    }
    const index = this.index(bucket);
    if (isEmpty || this.list[index]?.bucket !== bucket) return "unknown";
    this.list[index] = event.candle;
    return "other";
  }

  /** Where a bucket is, or would be. */
  index(bucket) {
    let [low, high] = [0, this.list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle].bucket < bucket) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The same candles as CSV. */
  csv() {
    return csv(this.path({ limit: rowsMax, from: this.list[0]?.bucket }), true);
  }
}
