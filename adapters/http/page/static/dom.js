// Small helpers to build and find elements.

const PATHS = {
  attach: "M20 11.5 12.2 19a5 5 0 0 1-7-7l8-7.7a3.3 3.3 0 0 1 4.7 4.7l-7.9 7.6a1.6 1.6 0 0 1-2.3-2.3l7-6.8",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h10v11H9zM5 15V4h10",
  done: "M5 12.5l5 5L19.5 7",
  down: "M12 5v14M6 13l6 6 6-6",
  file: "M7 3h7l4 4v14H7zM14 3v5h4",
  go: "M5 5l8 7-8 7zM18 5v14",
  menu: "M4 7h16M4 12h16M4 17h16",
  new: "M12 5v14M5 12h14",
  no: "M8 14V4h9.5l2.5 8v2h-6v5.5l-1.5 1L8 14zM4 4v10",
  again: "M5 12a7 7 0 1 1 2 5M5 19v-4.5h4.5",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  yes: "M8 10v10h9.5l2.5-8v-2h-6V4.5L12.5 3.5 8 10zM4 10v10",
};

export const find = (id) => document.getElementById(id);

/** An element with properties ("on…" functions, "data-…" and "aria-…" attributes) and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** A picture of one line, for a button that has its name beside it or as its label. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button that is a picture; its name is read out and shown as a tip. */
export function iconButton(name, label, onclick, properties = {}) {
  const all = { type: "button", className: "icon", title: label, "aria-label": label, onclick };
  return make("button", { ...all, ...properties }, icon(name));
}

/** Draw the pictures of buttons that stand in the page itself. */
export function drawIcons() {
  for (const button of document.querySelectorAll("[data-icon]")) {
    button.prepend(icon(button.dataset.icon));
    const label = button.getAttribute("aria-label");
    if (label) button.title = label;
  }
}

/** Tell who cannot see the page; one sentence at a time, never every word of an answer. */
export function announce(sentence) {
  find("status").textContent = sentence;
}

let told = 0;

/** Tell everybody what went wrong where no better place is; it goes by itself. */
export function tell(sentence) {
  const toast = find("toast");
  toast.textContent = sentence;
  clearTimeout(told);
  told = setTimeout(() => (toast.textContent = ""), 8000);
}

/** An id that nobody guesses; crypto.randomUUID is only there over HTTPS and on this machine. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A number of bytes for people. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  const [unit, name] = bytes < 999_500 ? [1e3, "kB"] : [1e6, "MB"];
  return `${(bytes / unit).toPrecision(2).replace(/\.0$/, "")} ${name}`;
}
