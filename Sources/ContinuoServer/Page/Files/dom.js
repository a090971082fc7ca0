// Elements, and what the page keeps in its URL.
// Invariant: whatever comes from the server becomes text, never markup.
// Not here: what is shown (list.js, token.js).

/** An element of the page by its id. */
export const byId = (id) => document.getElementById(id);

/** A new element with a text, or with children. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== "") made.setAttribute(key, value);
  }
  made.append(...children.map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))));
  return made;
}

/** A figure in short, with every digit of it as its tooltip. */
export function figure(short, full, kind = "") {
  return element("span", { title: full, class: kind }, short);
}

const pricesSeen = new Map();

/** A token's price, marked where it is another one than was seen before. */
export function movingPrice(token, short, full) {
  const before = pricesSeen.get(token);
  pricesSeen.set(token, full);
  const isOther = before !== undefined && full !== null && before !== null && before !== full;
  return figure(short, full, isOther ? (Number(full) > Number(before) ? "rose" : "fell") : "");
}

/** Puts rows into a table's body; a row is a list of cells, each a text or an element. */
export function fill(table, rows, empty) {
  const body = table.tBodies[0];
  // Where there is no room for columns each cell has its column's name (style.css).
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const made = rows.map((cells) => element("tr", {}, ...cells.map((cell, index) => element("td", { "data-name": names[index] }, cell))));
  if (made.length === 0) made.push(element("tr", {}, element("td", { colspan: table.tHead.rows[0].cells.length }, empty)));
  body.replaceChildren(...made);
}

const usual = { by: "volume-24h", interval: "1h", scale: "linear", zone: "utc", tab: "trades" };

/** What the URL says; what it leaves out is as usual. */
export function state(name) {
  return new URLSearchParams(location.search).get(name) ?? usual[name] ?? "";
}

/** Puts something into the URL; what is as usual is left out. */
export function keep(name, value) {
  const query = new URLSearchParams(location.search);
  if (value && value !== usual[name]) query.set(name, value);
  else query.delete(name);
  const text = query.toString();
  history.replaceState(null, "", location.pathname + (text ? "?" + text : ""));
}

/** The URL of a token's page, in the same zone and colours. */
export function tokenURL(token) {
  const query = new URLSearchParams();
  for (const name of ["zone", "theme"]) if (state(name) !== (usual[name] ?? "")) query.set(name, state(name));
  return "/tokens/" + encodeURIComponent(token) + (query.size ? "?" + query : "");
}

/** Marks one of a group of buttons as pressed. */
export function press(buttons, value) {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.value === value));
}

/** Says that something went wrong; nothing takes it back. */
export function tell(problem) {
  byId("problem").hidden = !problem;
  byId("problem").textContent = problem ? problem.message : "";
}

/** Gives the reader a file. */
export function download(name, text) {
  const link = element("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
