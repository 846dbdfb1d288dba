// A memory as a card: what was said, by whom, when, whether it still holds, and why it was found.

import { call, query } from "./api.js";
import { ask, make, tell } from "./dom.js";
import { dated, timed, word } from "./words.js";

/** `hit` is a result of a query or a memory of a list; `quotes` are stretches [start, end) of its text to mark. */
export function card(hit, { number = null, quotes = [], actions = null } = {}) {
  const old = hit.current === false;
  return make("article", { class: old ? "memory old" : "memory", "data-id": hit.id },
    make("header", {},
      number && make("span", { class: "number" }, String(number)),
      make("b", {}, hit.speaker ?? hit.role ?? "—"),
      make("time", { datetime: hit.timestamp, title: timed(hit.timestamp) }, dated(hit.timestamp)),
      old && make("span", { class: "tag warn" }, word("superseded")),
      hit.pinned && make("span", { class: "tag" }, word("pinned")),
      hit.indexing === "pending" && make("span", { class: "tag warn" }, word("pending")),
      quotes.length > 0 && make("span", { class: "tag good" }, word("cited")),
      hit.score !== undefined && make("span", { class: "score", title: word("score") }, hit.score.toFixed(2))),
    make("p", { class: "text" }, ...marked(hit.text, quotes)),
    reasons(hit),
    actions && make("footer", {}, ...actions));
}

/** A text with stretches marked; overlapping ones are joined. Offsets count characters as Python does. */
function marked(text, quotes) {
  const letters = [...text];
  const pieces = [];
  let at = 0;
  for (const [start, end] of [...quotes].sort((one, other) => one[0] - other[0])) {
    if (end <= at) continue;
    pieces.push(letters.slice(at, Math.max(at, start)).join(""));
    pieces.push(make("mark", {}, letters.slice(Math.max(at, start), end).join("")));
    at = end;
  }
  pieces.push(letters.slice(at).join(""));
  return pieces;
}

function reasons(hit) {
  const anchors = hit.anchors && !Array.isArray(hit.anchors) ? hit.anchors : null;
  if (!hit.scores && !anchors) return null;
  const tags = ["matched", "missing", "conflicting"].flatMap((kind) =>
    (anchors?.[kind] ?? []).map((text) => make("span", { class: `anchor ${kind}`, title: word(kind) }, text)));
  return make("details", {},
    make("summary", {}, word("why"), ...tags),
    hit.scores && bars(hit.scores));
}

/** The parts of a score, the largest first, as bars to the right and to the left of nothing. */
function bars(scores) {
  const parts = Object.entries(scores).filter(([, value]) => Math.abs(value) >= 0.005);
  parts.sort((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
  const most = Math.max(1e-9, ...parts.map(([, value]) => Math.abs(value)));
  return make("table", { class: "parts", "aria-label": word("parts") }, ...parts.map(([name, value]) =>
    make("tr", {}, make("th", { title: name }, word("part")[name] ?? name),
      make("td", {}, make("meter", { min: 0, max: most, value: Math.abs(value), class: value < 0 ? "minus" : "plus" })),
      make("td", { class: "figure" }, value.toFixed(2)))));
}

const at = (memory) => `memories/${encodeURIComponent(memory.id)}`;
const where = (memory) => query({ namespace: memory.namespace });

/** Buttons to edit, look behind and forget a memory; `changed()` is called when something has. */
export function verbs(memory, changed) {
  const button = (name, onclick, kind = "quiet") =>
    make("button", { class: kind, onclick: () => onclick(memory, changed).catch((error) => tell(error.message, true)) }, word(name));
  return [button("edit", edit), button("history", history), button("source", source), button("forget", forget, "quiet danger")];
}

async function edit(memory, changed) {
  const { etag } = await call("GET", `${at(memory)}?${where(memory)}`);
  const text = await ask((close) => {
    const field = make("textarea", { rows: 5, required: true });
    field.value = memory.text;
    return make("form", { onsubmit: (event) => { event.preventDefault(); close(field.value); } }, field,
      make("p", { class: "actions" }, make("button", { type: "button", onclick: () => close() }, word("cancel")),
        make("button", { class: "main" }, word("save"))));
  });
  if (text === null || text === memory.text) return;
  await call("PATCH", `${at(memory)}?${where(memory)}`, { text }, { "If-Match": etag });
  tell(word("edited"));
  changed();
}

async function forget(memory, changed) {
  const sure = await ask((close) => [make("p", {}, word("forgetSure")), make("blockquote", {}, memory.text),
    make("p", { class: "actions" }, make("button", { onclick: () => close() }, word("cancel")),
      make("button", { class: "main danger", onclick: () => close(true) }, word("forget")))]);
  if (!sure) return;
  await call("DELETE", `${at(memory)}?${where(memory)}`);
  tell(word("forgotten"));
  changed();
}

async function history(memory) {
  const { versions } = await call("GET", `${at(memory)}/history?${where(memory)}`);
  await ask((close) => [make("h2", {}, word("history")), make("ol", { class: "versions" }, ...versions.map((one) =>
    make("li", {}, make("b", {}, word("versions")[one.kind] ?? one.kind), " ", make("time", {}, timed(one.at)),
      make("p", {}, one.text)))), closing(close)]);
}

async function source(memory) {
  const found = await call("GET", `${at(memory)}/evidence?${where(memory)}`);
  await ask((close) => [make("h2", {}, word("source")),
    make("p", { class: "text" }, ...marked(found.original, [[found.start, found.end]])), closing(close)]);
}

const closing = (close) => make("p", { class: "actions" }, make("button", { class: "main", onclick: () => close() }, word("close")));
