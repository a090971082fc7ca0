// Questions to the server.
// Invariant: an answer that is none is thrown, with what the server says about it.
// Not here: the stream (stream.js).

/** What the server says is wrong, and what to do. */
export class Problem extends Error {
  constructor(status, code, detail, remedy) {
    super(detail + (remedy ? ". Next: " + remedy : ""));
    Object.assign(this, { status, code });
  }
}

/** The read token of this tab, where the server wants one. */
export const access = {
  get token() { return sessionStorage.getItem("continuo-token") ?? ""; },
  set token(text) { sessionStorage.setItem("continuo-token", text); },
};

async function send(path, options) {
  const headers = { ...options.headers };
  if (access.token) headers.Authorization = "Bearer " + access.token;
  let reply;
  try {
    reply = await fetch(path, { ...options, headers });
  } catch {
    throw new Problem(0, "unreachable", "the server does not answer", "see whether it runs; the page tries again");
  }
  if (reply.ok) return reply;
  const text = await reply.text();
  let said = {};
  try { said = JSON.parse(text); } catch { /* Something in between answered. */ }
  if (reply.status === 401) document.dispatchEvent(new Event("continuo-unauthorized"));
  throw new Problem(reply.status, said.code ?? "", said.detail ?? reply.statusText, said.remedy ?? "");
}

/** A path of a token's. */
export const tokenPath = (token, rest = "") => "/v1/tokens/" + encodeURIComponent(token) + rest;

/** A path with a query; what is empty is left out. */
export function query(path, names) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(names)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one) parameters.append(name, one);
  }
  return parameters.size ? path + "?" + parameters : path;
}

/** An answer, and its tag: equal tags are equal answers. */
export async function ask(path) {
  const reply = await send(path, { headers: { Accept: "application/json" } });
  return { body: await reply.json(), tag: reply.headers.get("ETag") };
}

/** Rows as CSV, of all pages; `isNewestFirst` says that a page's next is before it. */
export async function csv(path, isNewestFirst) {
  let [head, pages, next] = ["", [], path];
  while (next) {
    const reply = await send(next, { headers: { Accept: "text/csv" } });
    const text = await reply.text();
    const end = text.indexOf("\n") + 1;
    head = text.slice(0, end);
    pages.push(text.slice(end));
    next = isNewestFirst ? /<([^>]*)>; rel="next"/.exec(reply.headers.get("Link") ?? "")?.[1] : null;
  }
  return head + pages.reverse().join("");
}

/** Sends events; what became of them. */
export async function post(body, type, isCompressed) {
  const headers = { "Content-Type": type, ...(isCompressed ? { "Content-Encoding": "gzip" } : {}) };
  return (await send("/v1/events", { method: "POST", headers, body })).json();
}
