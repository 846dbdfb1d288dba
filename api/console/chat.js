// A conversation: answers as they are written, with what they rest on beside them.

import { stream } from "./api.js";
import { card } from "./cards.js";
import { byId, make, tell } from "./dom.js";
import { word } from "./words.js";

const fresh = () => `console-${crypto.randomUUID().slice(0, 8)}`;
let session = fresh();
let running = null;

export function start(namespace) {
  byId("ask").addEventListener("submit", (event) => { event.preventDefault(); put(namespace()); });
  byId("question").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); byId("ask").requestSubmit(); }
  });
  byId("stop").addEventListener("click", () => running?.abort());
  byId("fresh").addEventListener("click", reset);
}

export function reset() {
  running?.abort();
  session = fresh();
  byId("turns").replaceChildren();
  byId("behind").replaceChildren(make("p", { class: "hint", "data-word": "behindHint" }, word("behindHint")));
}

async function put(namespace) {
  const question = byId("question").value.trim();
  if (!question || running) return;
  byId("question").value = "";
  byId("turns").append(make("li", { class: "asked" }, question));
  const answer = make("div", { class: "words" });
  const marks = make("p", { class: "marks" });
  const turn = make("li", { class: "answered busy" }, answer, marks);
  byId("turns").append(turn);
  turn.scrollIntoView({ block: "end", behavior: "smooth" });
  busy(new AbortController());
  try {
    const body = { namespace, query: question, session_id: session, stream: true, explain: true, remember: byId("remember").checked };
    const told = await read(stream("answer", body, running.signal), answer);
    settle(answer, marks, told);
    turn.addEventListener("click", () => show(told));
  } catch (error) {
    if (error.name !== "AbortError") tell(`${word("failed")}: ${error.message}`, true);
    turn.classList.add("cut");
  } finally {
    turn.classList.remove("busy");
    busy(null);
  }
}

function busy(controller) {
  running = controller;
  byId("stop").hidden = controller === null;
  byId("ask").querySelector("[type=submit]").hidden = controller !== null;
}

/** Writes the answer as it comes, a sentence's footnotes as soon as it is checked, and gathers the rest. */
async function read(events, answer) {
  const told = { text: "", notes: [], results: [], citations: [], checks: [], done: {} };
  let noted = 0;
  for await (const { event, body } of events) {
    if (event === "context") { Object.assign(told, body); show(told); }
    else if (event === "delta") { told.text += body.text ?? ""; write(answer, told); }
    else if (event === "citation") told.citations.push(body);
    else if (event === "verification") {
      told.checks.push(body);
      if (body.end === undefined) continue;  // of the whole answer
      told.notes.push({ end: body.end, numbers: numbersOf(told.citations.slice(noted), told.results) });
      noted = told.citations.length;
      write(answer, told);
    }
    else if (event === "done") told.done = body;
    else if (event === "error") throw new Error(body.detail);
  }
  const done = told.done;
  told.results = done.results ?? told.results;
  told.citations = done.citations ?? told.citations;
  show(told);
  return told;
}

/** The places of the memories that are quoted, among the results, each once, from 1. */
function numbersOf(citations, results) {
  const places = citations.map((one) => results.findIndex((hit) => hit.id === one.memory_id) + 1);
  return [...new Set(places)].filter(Boolean);
}

/** The text with each sentence's footnotes after it. Ends of sentences count characters, not UTF-16 units. */
function write(answer, { text, notes }) {
  const characters = Array.from(text);
  let from = 0;
  answer.replaceChildren();
  for (const { end, numbers } of notes) {
    const sentence = characters.slice(from, end).join(""), said = sentence.trimEnd();
    answer.append(said, ...numbers.map((number) => make("sup", {}, `[${number}]`)), sentence.slice(said.length));
    from = end;
  }
  answer.append(characters.slice(from).join(""));
}

/** The finished answer, and what is to be said about it. */
function settle(answer, marks, { text, notes, done, checks }) {
  if (done.answer && done.answer !== text) write(answer, { text: done.answer, notes: done.abstained ? [] : notes });
  const unsupported = done.verification?.unsupported ?? checks.flatMap((one) => one.unsupported ?? []);
  const supported = done.verification?.supported ?? [];
  const tag = (text, kind = "") => make("span", { class: `tag ${kind}` }, text);
  marks.append(...[
    done.abstained && tag(word("abstained"), "warn"),
    done.degraded && tag(done.reason ? `${word("degraded")}: ${done.reason}` : word("degraded"), "warn"),
    ...unsupported.map((text) => tag(`${word("unsupported")}: ${text}`, "bad")),
    !unsupported.length && supported.length > 0 && tag(word("supported"), "good"),
    done.mode && tag(word(done.mode)),
    done.confidence !== undefined && tag(`${word("confidence")} ${Math.round(100 * done.confidence)} %`),
    done.tokens && tag(`${done.tokens.context} ${word("tokens")}` +
      (done.tokens.full_text > done.tokens.context ? `, ${done.tokens.full_text - done.tokens.context} ${word("saved")}` : "")),
  ].filter(Boolean));
}

function show({ results, citations }) {
  const quotes = (id) => citations.filter((one) => one.memory_id === id).map((one) => [one.start, one.end]);
  byId("behind").replaceChildren(...(results ?? []).map((hit, at) => card(hit, { number: at + 1, quotes: quotes(hit.id) })));
  if (!results?.length) byId("behind").append(make("p", { class: "hint" }, word("nothingFound")));
}
