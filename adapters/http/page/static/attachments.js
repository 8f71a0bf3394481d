// Files that wait to be sent: chosen, dropped or pasted, and uploaded at once.

import { upload } from "./api.js";
import { announce, find, icon, iconButton, make, size } from "./dom.js";

const list = find("files");
const picker = find("picker");
const files = new Map(); // from an element of the list to the upload it stands for
let most = Infinity;

export const limit = (bytes) => (most = bytes);
export const attached = () => files.size > 0;

/** Add files, and say of each that is too large that it is. */
export function attach(chosen) {
  for (const file of chosen) {
    const fits = file.size <= most;
    add(file, fits ? upload(file) : Promise.reject(new Error(`larger than ${size(most)}`)));
  }
}

/** The files to send, once they are uploaded; the list is empty then. Null if one cannot be sent. */
export async function take() {
  const uploads = await Promise.all(files.values());
  if (list.querySelector(".failed")) return null;
  clear();
  return uploads;
}

function clear() {
  files.clear();
  list.replaceChildren();
  list.hidden = true;
}

function add(file, uploading) {
  const about = make("span", { textContent: `${file.name}, ${size(file.size)}` });
  const remove = iconButton("close", `Remove ${file.name}`, () => drop(element));
  const element = make("li", { className: "uploading" }, icon("file"), about, remove);
  const sized = uploading.then((done) => ({ ...done, size: file.size }));
  const whole = sized.catch((error) => fail(element, about, `${file.name}: ${error.message}`));
  whole.finally(() => element.classList.remove("uploading"));
  files.set(element, whole);
  list.append(element);
  list.hidden = false;
}

function drop(element) {
  files.delete(element);
  element.remove();
  list.hidden = files.size === 0;
  find("say").focus();
}

function fail(element, about, sentence) {
  element.className = "failed";
  about.textContent = sentence;
  announce(sentence);
}

find("attach").addEventListener("click", () => picker.click());
picker.addEventListener("change", () => {
  attach(picker.files);
  picker.value = "";
  find("say").focus();
});
find("say").addEventListener("paste", (event) => {
  if (!event.clipboardData.files.length) return;
  event.preventDefault();
  attach(event.clipboardData.files);
});

const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
addEventListener("dragover", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  find("drop").hidden = false;
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) find("drop").hidden = true;
});
addEventListener("drop", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  find("drop").hidden = true;
  attach(event.dataTransfer.files);
});
