// The list of conversations; on a narrow screen it slides in from the side.

import * as api from "./api.js";
import { announce, find, iconButton, make, tell } from "./dom.js";

const list = find("conversations");
let titles = new Map();
let refreshes = 0;

export const titleOf = (id) => titles.get(id);

/** Show the list as it is now. */
export async function refresh(current) {
  const number = ++refreshes;
  try {
    const all = await api.conversations();
    if (number !== refreshes) return; // a later look has seen more
    titles = new Map(all.map((each) => [each.id, each.title || "Without words"]));
  } catch (error) {
    tell(error.message);
  }
  const focused = list.contains(document.activeElement) && document.activeElement.hash;
  list.replaceChildren(...[...titles].map(([id, title]) => entry(id, title)));
  if (focused) list.querySelector(`a[href="${focused}"]`)?.focus();
  mark(current);
}

export function mark(current) {
  for (const link of list.querySelectorAll("a")) {
    if (link.hash === `#/${current}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

export const isOpen = () => document.body.classList.contains("listed");

export function toggle(open) {
  document.body.classList.toggle("listed", open);
  find("menu").setAttribute("aria-expanded", open);
  find("shade").hidden = !open;
  if (open) find("close-sidebar").focus();
}

function entry(id, title) {
  const link = make("a", { href: `#/${id}`, textContent: title, title });
  const remove = iconButton("trash", `Delete “${title}”`, () => confirm(id, title));
  return make("li", {}, link, remove);
}

function confirm(id, title) {
  const dialog = find("confirm");
  find("confirm-name").textContent = `“${title}”`;
  dialog.returnValue = "";
  dialog.onclose = () => dialog.returnValue === "delete" && remove(id);
  dialog.showModal();
}

async function remove(id) {
  try {
    await api.remove(id);
  } catch (error) {
    return tell(error.message);
  }
  announce("Deleted.");
  const gone = list.querySelector(`a[href="#/${id}"]`).parentElement;
  const next = gone.nextElementSibling ?? gone.previousElementSibling;
  const wasOpen = location.hash === `#/${id}`;
  gone.remove();
  titles.delete(id);
  if (wasOpen) find("new").click();
  else (next?.querySelector("a") ?? find("new")).focus();
}

find("menu").addEventListener("click", () => toggle(true));
find("shade").addEventListener("click", () => toggle(false));
find("close-sidebar").addEventListener("click", () => (toggle(false), find("menu").focus()));
find("sidebar").addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !isOpen()) return;
  event.preventDefault();
  toggle(false);
  find("menu").focus();
});
