// The memories of a namespace: search, write, edit, look behind, forget.

import { call, query } from "./api.js";
import { card, verbs } from "./cards.js";
import { byId, make, tell } from "./dom.js";
import { word } from "./words.js";

const PAGE = 50;
let cursor = null;
let place = () => "";
let asked = 0; // a reply to an earlier search than the last is not shown

export function start(namespace) {
  place = namespace;
  const guarded = (run) => (event) => { event?.preventDefault(); run().catch((error) => tell(error.message, true)); };
  byId("search").addEventListener("submit", guarded(refresh));
  byId("words").addEventListener("search", guarded(refresh));
  byId("write").addEventListener("submit", guarded(write));
  byId("more").addEventListener("click", guarded(next));
}

export async function refresh() {
  cursor = null;
  await (byId("words").value.trim() ? find() : next());
}

async function find() {
  const body = { namespace: place(), query: byId("words").value.trim(), top_k: PAGE, explain: true };
  const mine = ++asked;
  const { results } = await call("POST", "query", body);
  if (mine !== asked) return;
  byId("more").hidden = true;
  byId("list").replaceChildren();
  show(results.map((hit) => ({ ...hit, namespace: body.namespace })));
  byId("counted").textContent = word("found")(results.length);
}

async function next() {
  const mine = ++asked;
  const first = cursor === null;
  const page = await call("GET", `memories?${query({ namespace: place(), limit: PAGE, cursor })}`);
  if (mine !== asked) return;
  if (first) byId("list").replaceChildren();
  cursor = page.next_cursor;
  byId("more").hidden = !cursor;
  show(page.items);
  byId("counted").textContent = word("shown")(byId("list").querySelectorAll(".memory").length);
}

function show(memories) {
  byId("list").append(...memories.map((memory) =>
    make("li", {}, card(memory, { actions: verbs(memory, () => refresh().catch((error) => tell(error.message, true))) }))));
  if (!byId("list").children.length) byId("list").append(make("li", { class: "hint" }, word(byId("words").value ? "nothingFound" : "none")));
}

async function write() {
  const { results } = await call("POST", "memories", { namespace: place(), memories: [{ text: byId("text").value, role: "user" }] });
  if (results[0].status === "rejected") throw new Error(results[0].reason);
  byId("text").value = "";
  tell(word("written"));
  await refresh();
}
