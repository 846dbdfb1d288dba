// The page: which namespace, which tab, which language.

import { askForKey, call } from "./api.js";
import * as chat from "./chat.js";
import { byId, make, tell } from "./dom.js";
import * as memories from "./memories.js";
import * as timeline from "./timeline.js";
import { switchLanguage, translate } from "./words.js";

const TABS = ["chat", "memories", "timeline"];
const place = () => byId("namespace").value.trim() || "default";
const tab = () => (TABS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "chat");

async function show() {
  for (const name of TABS) {
    byId(name).hidden = name !== tab();
    byId(`tab-${name}`).setAttribute("aria-selected", String(name === tab()));
  }
  if (tab() === "memories") await memories.refresh();
  if (tab() === "timeline") await timeline.refresh(place());
  if (tab() === "chat") byId("question").focus();
}

async function listNamespaces() {
  const { items } = await call("GET", "namespaces?limit=200");
  byId("namespaces").replaceChildren(...items.map((one) => make("option", { value: one.namespace }, String(one.memories))));
  const known = items.toSorted((one, other) => other.memories - one.memories)[0];
  byId("namespace").value ||= localStorage.getItem("namespace") ?? known?.namespace ?? "default";
}

const guarded = (run) => () => run().catch((error) => tell(error.message, true));

for (const name of TABS) byId(`tab-${name}`).addEventListener("click", () => { location.hash = name; });
window.addEventListener("hashchange", guarded(show));
byId("namespace").addEventListener("change", guarded(async () => {
  localStorage.setItem("namespace", place());
  chat.reset();
  await show();
}));
byId("language").addEventListener("click", guarded(async () => { switchLanguage(); translate(); await show(); }));
byId("key").addEventListener("click", guarded(async () => { if (await askForKey()) { await listNamespaces(); await show(); } }));

translate();
chat.start(place);
memories.start(place);
guarded(async () => { await listNamespaces(); await show(); })();
