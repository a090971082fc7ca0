// Files of events that are dropped on the page or chosen: sent as they are, and what became of them.
// Not here: judging them (the server does).

import { post } from "./api.js";
import { byId, element } from "./dom.js";

const rejectionsShown = 20;

function type(name) {
  return /\.(ndjson|jsonl)(\.gz)?$/i.test(name) ? "application/x-ndjson" : "text/csv";
}

function say(...children) {
  byId("receipt").replaceChildren(...children);
}

async function send(file, done) {
  say(element("p", {}, `Sending ${file.name} …`));
  try {
    const receipt = await post(file, type(file.name), /\.gz$/i.test(file.name));
    const text = `${file.name}: ${receipt.accepted} accepted, ${receipt.duplicates} duplicates, ${receipt.rejected} rejected`;
    const rejected = receipt.rejections.slice(0, rejectionsShown).map((one) =>
      element("li", {}, `line ${one.line}: ${one.field ?? "row"} '${one.value ?? ""}': ${one.reason}`));
    say(element("p", {}, text), element("ul", {}, ...rejected));
    done();
  } catch (problem) {
    say(element("p", {}, `${file.name}: ${problem.message}`));
  }
}

/** Takes files from now on; `done` is called after each that was taken. */
export function takeFiles(done) {
  const all = async (files) => { for (const file of files) await send(file, done); };
  byId("file").addEventListener("change", () => all([...byId("file").files]));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    all([...event.dataTransfer.files]);
  });
}
