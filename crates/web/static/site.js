// Log in with Bitbucket on a site that has only HTML.
//
//   <script src="https://stave.example/w/shop/site.js" data-client="abc" defer></script>
//
// Elements with data-stave="sign-in" or "sign-out" become buttons; "name", "email" and "picture" show who it is; what has
// data-stave-when="in" or "out" is there only then. In scripts: window.stave { user, error, ready, signIn(), signOut() }, and the
// event "stave:change" at the document. It greets visitors; it does not protect a page: whoever wants to can read the page's source.
"use strict";
(() => {
  const tag = document.currentScript;
  const issuer = new URL(".", tag.src).href.slice(0, -1);
  const client = tag.dataset.client;
  const scope = tag.dataset.scope ?? "openid profile email groups offline_access";
  const callback = new URL(tag.dataset.callback ?? "/", location.origin).href;
  const kept = `stave:${issuer}:${client}`;
  const trips = `${kept}:trips`;
  const failed = `${kept}:failed`;
  /** So long before a token ends it is refreshed, in milliseconds. */
  const MARGIN = 30_000;
  /** So long what the issuer said counts while a page stays open, in milliseconds. */
  const TRUST = 300_000;
  /** So long a trip to the login form may take, in milliseconds. */
  const TRIP_LIMIT = 600_000;

  let looked = 0;
  const stave = { user: null, error: null, signIn, signOut, ready: null };
  window.stave = stave;
  if (!client) console.error("Stave: the script tag has no data-client. Copy it again from the page Connect of the website.");
  if (!window.isSecureContext) console.error("Stave: browsers let nobody log in at a page without https (or at another address than localhost).");

  // What one browser keeps for all tabs: tokens, when they end, and what they say.
  function held() {
    return read(localStorage, kept);
  }

  function hold(session) {
    write(localStorage, kept, session);
    tell(session?.claims ?? null);
  }

  function read(place, key) {
    try {
      return JSON.parse(place.getItem(key));
    } catch {
      return null;
    }
  }

  function write(place, key, value) {
    try {
      if (value) place.setItem(key, JSON.stringify(value));
      else place.removeItem(key);
    } catch {
      console.error("Stave: this browser keeps nothing for this page, so nobody can be logged in here.");
    }
  }

  /** One tab at a time: a refresh token works once. */
  function alone(work) {
    return navigator.locks ? navigator.locks.request(kept, work) : work();
  }

  function random() {
    return base64url(crypto.getRandomValues(new Uint8Array(32)));
  }

  function base64url(bytes) {
    return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }

  async function challenge(verifier) {
    return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
  }

  /** Goes to the login form; it leads back to this page. `provider` presses one of its buttons. */
  async function signIn(provider) {
    const trip = { state: random(), nonce: random(), verifier: random(), page: location.href, began: Date.now() };
    const others = (read(sessionStorage, trips) ?? []).filter((other) => Date.now() - other.began < TRIP_LIMIT);
    write(sessionStorage, trips, [...others.slice(-4), trip]);
    go("/authorize", {
      response_type: "code",
      client_id: client,
      redirect_uri: callback,
      scope,
      state: trip.state,
      nonce: trip.nonce,
      code_challenge: await challenge(trip.verifier),
      code_challenge_method: "S256",
      ...(typeof provider === "string" && provider ? { provider_hint: provider } : {}),
    });
  }

  /** Signs out here and at the login form. */
  function signOut() {
    const session = held();
    hold(null);
    go("/logout", {
      client_id: client,
      post_logout_redirect_uri: callback,
      ...(session?.id_token ? { id_token_hint: session.id_token } : {}),
    });
  }

  function go(path, parameters) {
    location.assign(`${issuer}${path}?${new URLSearchParams(parameters)}`);
  }

  /** Back from the login form, if this tab left for it: the answer goes out of the address, and the visitor to where they were. */
  async function arrive() {
    const address = new URL(location.href);
    const said = new URLSearchParams(address.search);
    const all = read(sessionStorage, trips) ?? [];
    const trip = all.find((one) => one.state === said.get("state"));
    if (!trip) return;
    write(sessionStorage, trips, all.filter((one) => one !== trip));
    for (const name of ["code", "state", "iss", "error", "error_description"]) address.searchParams.delete(name);
    history.replaceState(history.state, "", address);
    stave.error = await redeem(trip, said);
    if (new URL(trip.page).origin !== location.origin || trip.page === address.href) return;
    write(sessionStorage, failed, stave.error);
    location.replace(trip.page);
    await new Promise(() => {});
  }

  /** Turns the code of an answer into tokens; returns what was wrong with it, or nothing. */
  async function redeem(trip, said) {
    if (said.get("iss") !== issuer) return "This answer did not come from the login form of this website.";
    if (said.get("error")) return said.get("error_description") ?? said.get("error");
    const tokens = await ask({
      grant_type: "authorization_code",
      code: said.get("code"),
      redirect_uri: callback,
      code_verifier: trip.verifier,
    });
    const claims = tokens?.id_token && said_by(tokens.id_token);
    if (!claims || claims.iss !== issuer || claims.aud !== client || claims.nonce !== trip.nonce) {
      return "The log-in could not be finished. Try again.";
    }
    hold(session_of(tokens, claims, null));
    return null;
  }

  /** What an ID token says. It came from the issuer itself over TLS, which stands for its signature (OpenID Connect Core, 3.1.3.7). */
  function said_by(token) {
    try {
      const bytes = Uint8Array.from(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      return null;
    }
  }

  function session_of(tokens, claims, before) {
    return {
      access_token: tokens.access_token,
      refresh_token: tokens.refresh_token ?? before?.refresh_token ?? null,
      id_token: tokens.id_token ?? before?.id_token ?? null,
      ends: Date.now() + (tokens.expires_in ?? 0) * 1000,
      claims,
    };
  }

  /** Tokens from the issuer; `null` if it gives none, an exception if it cannot be reached. */
  async function ask(parameters) {
    const body = new URLSearchParams({ ...parameters, client_id: client });
    const answer = await fetch(`${issuer}/token`, { method: "POST", body, credentials: "omit" });
    if (answer.status >= 500 || answer.status === 429) throw new Error(`the login server answers ${answer.status}`);
    return answer.ok ? answer.json() : null;
  }

  /** Asks the issuer whether the visitor is still who is kept here; refreshes what has ended. */
  async function check(session) {
    if (!session) return null;
    if (session.ends - Date.now() < MARGIN) return refresh(session);
    const answer = await fetch(`${issuer}/userinfo`, {
      headers: { authorization: `Bearer ${session.access_token}` },
      credentials: "omit",
    });
    if (answer.status === 401) return refresh(session);
    if (!answer.ok) return session;
    return { ...session, claims: await answer.json() };
  }

  async function look() {
    looked = Date.now();
    const before = held();
    const session = await check(before);
    // Another tab may have signed in or out meanwhile.
    if (JSON.stringify(held()) === JSON.stringify(before)) hold(session);
  }

  async function refresh(session) {
    if (!session.refresh_token) return null;
    const tokens = await ask({ grant_type: "refresh_token", refresh_token: session.refresh_token });
    if (!tokens) return null;
    return session_of(tokens, (tokens.id_token && said_by(tokens.id_token)) ?? session.claims, session);
  }

  /** Who is signed in goes into the page, and to whoever listens. */
  function tell(claims) {
    const before = JSON.stringify(stave.user);
    stave.user = claims;
    show();
    if (JSON.stringify(claims) !== before) document.dispatchEvent(new CustomEvent("stave:change", { detail: claims }));
  }

  function show() {
    const user = stave.user;
    for (const part of document.querySelectorAll("[data-stave-when]")) {
      part.hidden = (part.dataset.staveWhen === "in") !== Boolean(user);
    }
    for (const part of document.querySelectorAll('[data-stave="name"], [data-stave="email"]')) {
      part.textContent = user?.[part.dataset.stave] ?? "";
    }
    for (const part of document.querySelectorAll('[data-stave="picture"]')) {
      part.hidden = !user?.picture;
      if (user?.picture) part.src = user.picture;
      else part.removeAttribute("src");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.('[data-stave="sign-in"], [data-stave="sign-out"]');
    if (!button) return;
    event.preventDefault();
    if (button.dataset.stave === "sign-in") signIn(button.dataset.staveProvider);
    else signOut();
  });
  // What another tab does is true here too.
  addEventListener("storage", (event) => {
    if (event.key === kept) tell(held()?.claims ?? null);
  });
  // Who comes back to a page after a while may have been signed out.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - looked > TRUST) alone(look).catch(() => {});
  });
  // A page that comes back out of the browser's memory may show who is gone.
  addEventListener("pageshow", (event) => {
    if (event.persisted) tell(held()?.claims ?? null);
  });

  async function begin() {
    if (document.readyState === "loading") {
      await new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));
    }
    stave.error = read(sessionStorage, failed);
    write(sessionStorage, failed, null);
    tell(held()?.claims ?? null);
    try {
      await arrive();
      await alone(look);
    } catch (error) {
      // Who cannot be asked is not gone.
      console.warn(`Stave: the login server cannot be asked (${error.message}).`);
    }
    return stave.user;
  }
  stave.ready = begin();
})();
