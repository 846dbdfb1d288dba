// Elements made of text only: nothing that was remembered is ever read as HTML.

/** An element with attributes and children; a text child stays text. `class` and `on…` are understood. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  set(element, attributes);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The same in SVG. */
export function draw(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  set(element, attributes);
  element.append(...children);
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
}

export const byId = (id) => document.getElementById(id);

let hiding;
/** Says something for a few seconds. */
export function tell(text, bad = false) {
  const notice = byId("notice");
  notice.textContent = text;
  notice.classList.toggle("bad", bad);
  notice.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { notice.hidden = true; }, bad ? 8000 : 3000);
}

/** Shows a dialog with what `fill(close)` makes; resolves to what `close` was given, null for Escape. */
export function ask(fill) {
  const dialog = byId("dialog");
  return new Promise((resolve) => {
    const close = (value = null) => { dialog.onclose = null; dialog.close(); resolve(value); };
    dialog.replaceChildren(...[fill(close)].flat());
    dialog.onclose = () => resolve(null);
    dialog.showModal();
  });
}
