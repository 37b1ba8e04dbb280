// What makes the pages pleasant. Nothing here is needed to use them.
"use strict";

/** Copies the text of the field or element that `data-copy` names, and says so on the button. */
async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  if (!source) return;
  const text = source.value ?? source.textContent;
  const done = await write(text, source);
  const label = (button.dataset.label ??= button.textContent);
  button.textContent = done ? "Copied" : "Press Ctrl+C";
  setTimeout(() => (button.textContent = label), 1800);
}

/** The clipboard is only open to pages on https or this machine; elsewhere the text is selected and copied the old way. */
async function write(text, source) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}

/**
 * `<div id="run" data-refresh="2s">` is fetched again from its own page and replaced, until the page sends it without
 * `data-refresh`: then the work is done, and the sentence that told of its beginning goes.
 */
function refresh(element) {
  const pause = parseFloat(element.dataset.refresh) * 1000 || 2000;
  setTimeout(async () => {
    const page = document.hidden ? null : await fetched();
    const next = page?.getElementById(element.id);
    if (!element.isConnected) return;
    if (!next) return refresh(element);
    if (next.isEqualNode(element)) return refresh(element);
    element.replaceWith(next);
    document.title = page.title;
    grow();
    if (next.dataset.refresh) refresh(next);
    else document.getElementById("done")?.remove();
  }, pause);
}

/** A fresh copy of this page; nothing if the server does not answer with it. */
async function fetched() {
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}

/** Fields to copy from show all of their text, in browsers that do not let the stylesheet say so too. */
function grow() {
  if (CSS.supports("field-sizing", "content")) return;
  for (const field of document.querySelectorAll("textarea[readonly]")) {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  }
}

/** What was done is told once: a reload or a bookmark does not tell it again. */
function forgetDone() {
  const address = new URL(location.href);
  if (!address.searchParams.has("done")) return;
  address.searchParams.delete("done");
  history.replaceState(history.state, "", address);
}

/**
 * `<a data-fill="{base_url}/{workspace}/new">` becomes a link to what is typed in the inputs named in braces. A name that starts
 * the address goes in as it is, one that stands later is escaped. While something is missing there is no link to follow.
 */
function fill(link) {
  let whole = true;
  const address = link.dataset.fill.replace(/\{(\w+)\}/g, (_, name, at) => {
    const typed = document.querySelector(`[name="${name}"]`)?.value.trim().replace(/\/+$/, "");
    whole &&= Boolean(typed);
    if (!typed) return `<${name.toUpperCase()}>`;
    return at === 0 ? typed : encodeURIComponent(typed);
  });
  link.textContent = address;
  if (whole && /^https?:\/\//.test(address)) link.href = address;
  else link.removeAttribute("href");
}

/** Shows elements with `data-when="platform=bitbucket"` only while the input of that name has that value. */
function choose(element) {
  const [name, value] = element.dataset.when.split("=");
  const input = document.querySelector(`[name="${name}"]:checked, select[name="${name}"], input[name="${name}"]:not([type="radio"])`);
  element.hidden = input?.value !== value;
}

function followTyping() {
  document.querySelectorAll("[data-fill]").forEach(fill);
  document.querySelectorAll("[data-when]").forEach(choose);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  const close = event.target.closest("[data-close]");
  if (close) close.closest("details").open = false;
  for (const open of document.querySelectorAll("details.menu[open], details.confirm[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.menu[open], details.confirm[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

/** A form that is on its way is not sent twice; coming back with the browser's button frees it. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

document.addEventListener("input", followTyping);
document.addEventListener("change", followTyping);
addEventListener("resize", grow);
document.querySelectorAll("[data-refresh]").forEach(refresh);
forgetDone();
grow();
followTyping();
