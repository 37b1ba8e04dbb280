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
 * `<div id="run" data-refresh="2s">` is fetched again from its own page, or from the address in `data-from`, and replaced, until it
 * comes without `data-refresh`: then the work is done, and the sentence that told of its beginning goes.
 */
function refresh(element) {
  const pause = parseFloat(element.dataset.refresh) * 1000 || 2000;
  const { from } = element.dataset;
  setTimeout(async () => {
    const page = document.hidden ? null : await fetched(from ?? location.href);
    const next = page?.getElementById(element.id);
    if (!element.isConnected) return;
    if (!next) return refresh(element);
    if (next.isEqualNode(element)) return refresh(element);
    element.replaceWith(next);
    if (!from) document.title = page.title;
    grow();
    if (next.dataset.refresh) refresh(next);
    else if (!from) document.getElementById("done")?.remove();
  }, pause);
}

/**
 * `<form data-search="packages">` searches while somebody types: the element of this id and the pages of its list are fetched anew.
 * Without script the button does it.
 */
function search(form) {
  let asked = 0;
  let timer;
  const look = async () => {
    const number = ++asked;
    const address = `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
    const page = await fetched(address);
    const next = page?.getElementById(form.dataset.search);
    // Somebody has typed on, and that answer is on its way.
    if (!next || number !== asked) return;
    document.getElementById(form.dataset.search).replaceWith(next);
    const pages = page.querySelector("nav.pages");
    const shown = document.querySelector("nav.pages");
    if (pages && shown) shown.replaceWith(pages);
    else if (shown) shown.remove();
    else if (pages) next.after(pages);
    history.replaceState(null, "", address);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 150);
  });
}

/** What is at an address now; nothing if the server does not answer with it. */
async function fetched(address) {
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" } });
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

/** What the input of a name holds: the chosen one of several buttons, or what is selected or typed. */
function valueOf(name) {
  const input = document.querySelector(`[name="${name}"]:checked, select[name="${name}"], input[name="${name}"]:not([type="radio"])`);
  return input?.value;
}

/**
 * Shows elements with `data-when="platform=bitbucket, oauth!=1"` only while it is true: a comma is an "or", a blank an "and", and
 * each part names an input and the value that it has or, with `!=`, has not.
 */
function choose(element) {
  const isTrue = (part) => {
    const [, name, not, value] = part.match(/^(.+?)(!?)=(.*)$/);
    return (valueOf(name) === value) !== Boolean(not);
  };
  element.hidden = !element.dataset.when.split(", ").some((all) => all.split(" ").every(isTrue));
}

/** A field with `data-preset-bitbucket="https://bitbucket.org"` holds that while the list says so, until something is typed into it. */
function preset(list) {
  for (const field of list.form?.elements ?? []) {
    const text = field.getAttribute(`data-preset-${list.value}`);
    if (text !== null && !field.dataset.typed) field.value = text;
  }
}

/**
 * `<div data-look="/admin/integrations/look">` in a form shows what is at the base URL: what the server answers for it. With
 * `data-chooses` what was found is chosen as platform and OAuth version, unless the person did so by hand.
 */
function look(box) {
  const { elements } = box.closest("form");
  const byHand = new Set();
  let asked = "";
  let timer;
  let asking;

  const question = ({ platform, base_url }) => `${platform.value} ${base_url.value.trim()}`;
  const pick = (name, found) => {
    if (found && "chooses" in box.dataset && !byHand.has(name)) elements[name].value = found;
  };
  const show = async () => {
    asking = new AbortController();
    const query = new URLSearchParams({ platform: elements.platform.value, base_url: elements.base_url.value.trim() });
    try {
      const answer = await fetch(`${box.dataset.look}?${query}`, { signal: asking.signal });
      box.innerHTML = answer.ok && !answer.redirected ? await answer.text() : "";
    } catch (error) {
      if (error.name === "AbortError") return;
      box.textContent = "";
    }
    box.ariaBusy = null;
    const found = box.firstElementChild?.dataset ?? {};
    if (found.platform && found.platform !== elements.platform.value) {
      pick("platform", found.platform);
      if (elements.platform.type !== "hidden") preset(elements.platform);
    }
    pick("oauth", found.oauth);
    // What was chosen just now is no new question: asked again, the box would move the button away from under the mouse.
    asked = question(elements);
    followTyping();
  };
  const ask = (pause) => {
    const typed = elements.base_url.value.trim();
    if (question(elements) === asked) return;
    asked = question(elements);
    clearTimeout(timer);
    asking?.abort();
    const address = URL.parse?.(typed) ?? (URL.canParse(typed) ? new URL(typed) : null);
    const isPreset = typed === elements.base_url.getAttribute(`data-preset-${elements.platform.value}`);
    box.textContent = "";
    if (isPreset || !/^https?:$/.test(address?.protocol) || !address.hostname) return;
    box.textContent = `Looking at ${address.host} …`;
    box.ariaBusy = "true";
    timer = setTimeout(show, pause);
  };

  elements.base_url.addEventListener("input", () => ask(600));
  box.closest("form").addEventListener("change", ({ target }) => {
    if (target.name === "platform" || target.name === "oauth") byHand.add(target.name);
    ask(0);
  });
  if ("atOnce" in box.dataset) ask(0);
}

/** `<input data-slug-of="name">` proposes what is typed in the input of that name, as it may stand in an address, until it is typed into. */
function proposeSlug(field) {
  if (field.dataset.typed) return;
  const name = field.form.elements[field.dataset.slugOf].value.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  field.value = name.replace(/[^a-z0-9]+/g, "-").slice(0, 40).replace(/^-+|-+$/g, "");
}

/** `<input data-tells="kind ATAT=api_token BBDC-=other">` chooses in the list `kind` what the beginning of the typed text tells. */
function tell(field) {
  const [name, ...marks] = field.dataset.tells.split(" ");
  const found = marks.map((mark) => mark.split("=")).find(([start]) => field.value.trim().startsWith(start));
  if (found) field.form.elements[name].value = found[1];
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

/**
 * The rows of `<tbody data-order>` that have `data-item` are put into another order with the mouse. Each holds a form whose input `place`
 * says where it shall be; its buttons send the same.
 */
const order = {
  items: () => [...order.dragged.parentElement.querySelectorAll(":scope > [data-item]")],
  start(event) {
    order.dragged = event.target.closest?.("[data-order] > [data-item]");
    if (!order.dragged) return;
    order.before = order.items();
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
  },
  over(event) {
    const item = order.dragged && event.target.closest?.("[data-item]");
    if (!item || item.parentElement !== order.dragged.parentElement) return;
    event.preventDefault();
    if (item === order.dragged) return;
    const { top, height } = item.getBoundingClientRect();
    item[event.clientY < top + height / 2 ? "before" : "after"](order.dragged);
  },
  end(event) {
    const { dragged, before } = order;
    if (!dragged) return;
    const place = order.items().indexOf(dragged);
    order.dragged = null;
    if (event.dataTransfer.dropEffect === "none") return before[0].parentElement.prepend(...before);
    if (before[place] === dragged) return;
    const form = dragged.querySelector("form");
    form.elements.place.value = place;
    form.requestSubmit();
  },
};
document.addEventListener("dragstart", order.start);
document.addEventListener("dragover", order.over);
document.addEventListener("drop", (event) => order.dragged && event.preventDefault());
document.addEventListener("dragend", order.end);

/** A form that is on its way is not sent twice; coming back with the browser's button frees it. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

// While the event is still on its way to its target: whoever listens there finds everything in place.
document.addEventListener("input", ({ target }) => {
  target.dataset.typed = "yes";
  document.querySelectorAll("[data-slug-of]").forEach(proposeSlug);
  if (target.dataset.tells) tell(target);
  followTyping();
}, true);
document.addEventListener("change", ({ target }) => {
  if (target.matches("select")) preset(target);
  followTyping();
}, true);
/** Who has typed the workspace goes to the link that it completes; the form is not ready to be sent then. */
document.querySelector("#workspace_name")?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  document.querySelector("#guide a[data-fill], [aria-labelledby=guide] a[data-fill]")?.focus();
});

/** A form that is opened again, by reloading or by going back, shows the callback that was copied from it. */
const slug = document.querySelector("form input[type=hidden][name=slug]")?.value;
if (slug && location.pathname.endsWith("/new")) history.replaceState(history.state, "", `?slug=${encodeURIComponent(slug)}`);

addEventListener("pageshow", followTyping);
addEventListener("resize", grow);
document.querySelectorAll("[data-refresh]").forEach(refresh);
document.querySelectorAll("[data-search]").forEach(search);
document.querySelectorAll("[data-look]").forEach(look);
forgetDone();
grow();
followTyping();
