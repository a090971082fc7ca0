// The page's beginning: what all of it has in common, then the list or a token.
// Not here: the list (list.js), a token (token.js).

import { access } from "./api.js";
import { byId, keep, state } from "./dom.js";
import { showList } from "./list.js";
import { showToken } from "./token.js";

const root = document.documentElement;
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches;
}

function coloured() {
  byId("theme").textContent = isDark() ? "Light" : "Dark";
  document.dispatchEvent(new Event("continuo-theme"));
}

function zoned() {
  byId("zone").textContent = state("zone") === "utc" ? "UTC" : "Local time";
  byId("zone").title = state("zone") === "utc" ? "Show the time of this machine" : "Show UTC";
}

function begin() {
  if (["dark", "light"].includes(state("theme"))) root.dataset.theme = state("theme");
  document.body.classList.toggle("embed", state("embed") === "1");
  prefersDark.addEventListener("change", coloured);
  byId("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    keep("theme", root.dataset.theme);
    coloured();
  });
  byId("zone").addEventListener("click", () => {
    keep("zone", state("zone") === "utc" ? "local" : "utc");
    zoned();
    document.dispatchEvent(new Event("continuo-zone"));
  });
  document.addEventListener("continuo-unauthorized", () => { byId("access").hidden = false; });
  byId("access").addEventListener("submit", (event) => {
    event.preventDefault();
    access.token = byId("access-token").value;
    location.reload();
  });
  coloured();
  zoned();

  const [, kind, name] = location.pathname.split("/");
  if (kind === "tokens" && name) showToken(decodeURIComponent(name));
  else showList();
}

begin();
