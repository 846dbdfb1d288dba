// When things were said, how much they still weigh, and what replaced what.

import { call, query } from "./api.js";
import { card } from "./cards.js";
import { byId, draw, make } from "./dom.js";
import { dated, word } from "./words.js";

const PAGES = 10;
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [1000, 380, 56, 20, 20, 40];

export async function refresh(namespace) {
  const memories = [];
  let cursor = null;
  for (let page = 0; page < PAGES && (page === 0 || cursor); page += 1) {
    const found = await call("GET", `memories?${query({ namespace, limit: 200, cursor })}`);
    memories.push(...found.items);
    cursor = found.next_cursor;
  }
  byId("picked").replaceChildren();
  byId("plot").replaceChildren(memories.length ? plot(memories) : make("p", { class: "hint" }, word("noDates")));
}

/** Memories stand one beside the other, whatever lies between them: a conversation takes minutes, the next is months away. */
function plot(memories) {
  memories.sort((one, other) => Date.parse(one.timestamp) - Date.parse(other.timestamp));
  const weights = memories.map((memory) => memory.weight ?? 1);
  const least = Math.min(0.9, Math.floor(10 * Math.min(...weights)) / 10);
  const x = (at) => LEFT + ((WIDTH - LEFT - RIGHT) * (at + 0.5)) / memories.length;
  const y = (weight) => TOP + ((HEIGHT - TOP - BOTTOM) * (1 - weight)) / (1 - least);
  const places = new Map(memories.map((memory, at) => [memory.id, [x(at), y(weights[at])]]));
  const replaced = memories.filter((memory) => places.has(memory.superseded_by));
  const tip = draw("path", { d: "M0 0 L8 4 L0 8 z", class: "tip" });
  return draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": word("timeline") },
    draw("defs", {}, draw("marker", { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, tip)),
    ...grid(memories, least, x, y),
    ...memories.map((memory) => dot(memory, places.get(memory.id), Math.max(2.5, Math.min(6, 400 / memories.length)))),
    ...replaced.map((memory) => arc(places.get(memory.id), places.get(memory.superseded_by))));
}

function grid(memories, least, x, y) {
  const lines = [0, 0.25, 0.5, 0.75, 1].map((share) => least + (1 - least) * share).flatMap((weight) => [
    draw("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(weight), y2: y(weight), class: "grid" }),
    draw("text", { x: LEFT - 8, y: y(weight) + 4, class: "axis end" }, weight.toFixed(2))]);
  let free = 0;
  memories.forEach((memory, at) => {
    if (x(at) < free || (at > 0 && dated(memory.timestamp) === dated(memories[at - 1].timestamp))) return;
    free = x(at) + 110;
    lines.push(draw("line", { x1: x(at), x2: x(at), y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM + 6, class: "grid" }));
    lines.push(draw("text", { x: Math.min(x(at), WIDTH - 90), y: HEIGHT - 12, class: "axis start" }, dated(memory.timestamp)));
  });
  lines.push(draw("text", { x: 14, y: TOP + (HEIGHT - TOP - BOTTOM) / 2, class: "axis middle turned" }, word("weight")));
  return lines;
}

function arc([x1, y1], [x2, y2]) {
  const low = Math.max(y1, y2) + Math.min(160, 30 + Math.abs(x2 - x1) / 3);
  return draw("path", { d: `M${x1} ${y1} C${x1} ${low} ${x2} ${low} ${x2} ${y2 + 8}`, class: "arc", "marker-end": "url(#tip)" });
}

function dot(memory, [cx, cy], r) {
  const pick = () => byId("picked").replaceChildren(card(memory));
  const kind = memory.current === false ? "dot old" : memory.pinned ? "dot pinned" : memory.role === "assistant" ? "dot reply" : "dot";
  return draw("circle", { cx, cy, r, class: kind, tabindex: 0, role: "button", onclick: pick, onfocus: pick },
    draw("title", {}, `${dated(memory.timestamp)} · ${memory.text.slice(0, 120)}`));
}
