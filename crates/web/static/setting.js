// The page "Login setting": the login form, a dialog to change it, and what is not applied yet. Without script all of the
// dialog's fields stand on the page.
"use strict";
{
  const form = document.querySelector("form[data-setting]");
  const dialog = document.getElementById("setting");
  const tabs = [...dialog.querySelectorAll("[role=tab]")];
  const parts = [...dialog.querySelectorAll("[data-tab]")];
  const fields = () => [...form.elements].filter((field) => field.name && field.type !== "submit");

  /** What stands in every field, to be compared and put back. A file cannot be put back but to none. */
  const read = () => fields().map((field) => (/^(checkbox|radio)$/.test(field.type) ? field.checked : field.value));
  const write = (values) =>
    fields().forEach((field, at) => {
      if (/^(checkbox|radio)$/.test(field.type)) field.checked = values[at];
      else if (field.type !== "file") field.value = values[at];
      else if (field.value !== values[at]) field.value = "";
    });
  const same = (one, other) => one.every((value, at) => value === other[at]);

  const stored = read();
  let opened = stored;
  let leaving = false;
  const isDirty = () => "unapplied" in form.dataset || !same(stored, read());

  const show = (key) => {
    for (const tab of tabs) {
      const isIt = tab.dataset.to === key;
      tab.ariaSelected = String(isIt);
      tab.tabIndex = isIt ? 0 : -1;
    }
    for (const part of parts) part.hidden = part.dataset.tab !== key;
  };

  /** Opens the dialog, at a field of it if one is named. */
  const open = (field) => {
    const part = field?.closest("[data-tab]");
    if (part) show(part.dataset.tab);
    if (!dialog.open) {
      opened = read();
      dialog.showModal();
    }
    (field ?? tabs.find((tab) => tab.ariaSelected === "true")).focus();
    dispatchEvent(new Event("resize"));
  };

  /** The form as it would be with what stands in the fields: the server draws it, and stores nothing. Secrets stay here. */
  let drawing;
  const draw = async () => {
    drawing?.abort();
    drawing = new AbortController();
    const typed = new FormData(form);
    for (const name of [...typed.keys()]) if (/secret$/.test(name) || typed.get(name) instanceof File) typed.delete(name);
    if (typed.has("logo_remove")) typed.set("logo", "");
    try {
      const answer = await fetch(`${form.getAttribute("action")}/shown`, {
        method: "POST", body: new URLSearchParams(typed), signal: drawing.signal,
      });
      if (answer.ok && !answer.redirected) document.getElementById("shown").innerHTML = await answer.text();
    } catch {
      // The form stays as it was shown; what is typed is in the fields all the same.
    }
  };

  const tell = () => (form.querySelector(".unapplied").hidden = !isDirty());
  const ok = () => {
    dialog.close();
    tell();
    draw();
  };
  const cancel = () => {
    write(opened);
    dialog.close();
    form.dispatchEvent(new Event("change", { bubbles: true }));
    tell();
  };

  dialog.querySelector("[data-ok]").addEventListener("click", ok);
  dialog.querySelector("[data-cancel]").addEventListener("click", cancel);
  dialog.addEventListener("cancel", (event) => {
    // A list of files that is closed without a choice tells the dialog the same.
    if (event.target !== dialog) return;
    event.preventDefault();
    cancel();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.defaultPrevented || !event.target.matches("input:not([type=file])")) return;
    event.preventDefault();
    ok();
  });

  // Keys that are typed are meant to be used, unless somebody switched the button off by hand.
  for (const prefix of ["bitbucket", "data_center"]) {
    const on = form.elements[`${prefix}_on`];
    let isOffByHand = false;
    on.addEventListener("change", () => (isOffByHand = !on.checked));
    form.elements[`${prefix}_client_id`].addEventListener("input", ({ target }) => {
      if (target.value.trim() && !isOffByHand) on.checked = true;
    });
  }

  for (const tab of tabs) tab.addEventListener("click", () => show(tab.dataset.to));
  dialog.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = tabs.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = tabs[(at + step + tabs.length) % tabs.length];
    show(next.dataset.to);
    next.focus();
  });

  // The form itself, and the links of what is wrong, lead into the dialog.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const target = link && document.getElementById(link.hash.slice(1));
    if (!target || !dialog.contains(target)) return;
    event.preventDefault();
    open(target === dialog ? null : target);
  });

  form.addEventListener("submit", () => (leaving = true));
  document.querySelectorAll("form.question").forEach((other) => other.addEventListener("submit", () => (leaving = true)));
  addEventListener("pageshow", () => {
    leaving = false;
    tell();
  });
  addEventListener("beforeunload", (event) => {
    if (isDirty() && !leaving) event.preventDefault();
  });

  for (const part of parts) part.setAttribute("role", "tabpanel");
  show(parts.find((part) => part.querySelector("[aria-invalid]"))?.dataset.tab ?? "general");
}
