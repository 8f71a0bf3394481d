// The key that the server asks for, kept for this tab or, if the person says so, on this device.

import { find } from "./dom.js";

const NAME = "key";
let asking = null;

export const key = () => sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME);

export function forgetKey() {
  sessionStorage.clear(); // with the questions that it asked
  localStorage.removeItem(NAME);
}

/** Return once the person gave a key; those who ask at the same time get the same one. */
export function askForKey() {
  asking ??= ask().finally(() => (asking = null));
  return asking;
}

function ask() {
  const dialog = find("key");
  const field = find("key-field");
  if (key()) find("key-reason").textContent = "The key was not accepted. Try another one.";
  field.value = "";
  dialog.oncancel = (event) => event.preventDefault(); // nothing works without a key
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      keep(field.value.trim(), find("key-keep").checked);
      resolve();
    };
  });
}

function keep(value, onDevice) {
  sessionStorage.removeItem(NAME);
  localStorage.removeItem(NAME);
  (onDevice ? localStorage : sessionStorage).setItem(NAME, value);
}
