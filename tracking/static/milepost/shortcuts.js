/* Single keys of a page, and a dialog that lists them. Whoever has turned them off in their own
   settings has none: <html data-shortcuts="off"> (WCAG 2.1.4). */

const TYPED_IN = "input, select, textarea, [contenteditable]";
const PRESSED = "a, button, summary";

const keys = new Map();
let isListening = false;

const areOn = () => document.documentElement.dataset.shortcuts !== "off";

/** A key as people know it: arrows as arrows, a space by its name. */
function shown(key) {
  const arrows = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→" };
  return arrows[key] ?? (key === " " ? document.getElementById("shortcuts").dataset.space : key);
}

function list() {
  const byLabel = new Map();
  for (const [key, { label }] of keys) {
    if (label) byLabel.set(label, [...(byLabel.get(label) ?? []), key]);
  }
  return [...byLabel].map(([label, names]) => {
    const line = document.createElement("div");
    const term = document.createElement("dt");
    term.append(...names.flatMap((name) => {
      const key = document.createElement("kbd");
      key.textContent = shown(name);
      return [key, " "];
    }));
    const meaning = document.createElement("dd");
    meaning.textContent = label;
    line.append(term, meaning);
    return line;
  });
}

function explain() {
  const dialog = document.getElementById("shortcuts");
  dialog.querySelector("dl").replaceChildren(...list());
  dialog.showModal();
}

function isElsewhere({ target, key, ctrlKey, metaKey, altKey, isComposing }) {
  if (ctrlKey || metaKey || altKey || isComposing) return true;
  if (target.closest?.(TYPED_IN) || document.querySelector("dialog[open]")) return true;
  return (key === "Enter" || key === " ") && Boolean(target.closest?.(PRESSED));
}

function pressed(event) {
  const shortcut = keys.get(event.key);
  if (!shortcut || event.defaultPrevented || isElsewhere(event)) return;
  // A shortcut that had nothing to do leaves the key to the browser.
  if (shortcut.run(event) !== false) event.preventDefault();
}

/** Add keys: `{key: {run, label}}`, names as in KeyboardEvent.key, labels in the page's language
    (without one it is not listed). `run(event)` returns false when it had nothing to do. Ignored
    where something is typed or pressed, and with Ctrl, Alt or Meta. `?` lists all. */
export function shortcuts(more) {
  if (!areOn()) return;
  for (const [key, shortcut] of Object.entries(more)) keys.set(key, shortcut);
  if (isListening) return;
  isListening = true;
  keys.set("?", { run: explain, label: document.getElementById("shortcuts").dataset.help });
  document.addEventListener("keydown", pressed);
  for (const button of document.querySelectorAll("[data-explains-shortcuts]")) {
    button.hidden = false;
    button.addEventListener("click", explain);
  }
}
