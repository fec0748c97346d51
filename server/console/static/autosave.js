/* The form of a draft, while somebody writes: htmx sends it, and this watches that nothing typed is lost.

Where a save does not come back with its answer, the page says so and tries again; a button saves first; what was typed
last is sent when the page is left, or the person is asked. Without scripts each button saves, as the page says. */
"use strict";

(() => {
  const FIRST_WAIT_S = 2, LONGEST_WAIT_S = 60;
  const MOST_AT_LEAVING = 60000; // bytes; browsers send 64 KiB at most once a page is gone (Fetch, keepalive)
  const RETRIED = ["unreachable", "signed-out"];
  const ONLY_BY_BUTTON = ["overtaken", "gone"]; // the answer to the button says what can be done

  const form = document.getElementById("draft");
  const savesItself = form.hasAttribute("hx-post");
  // Counts what was typed. A page that shows what could not be saved has something from its beginning.
  let typed = savesItself ? 0 : 1, sent = 0, saved = 0;
  let trouble = savesItself ? "" : "overtaken";
  let waitS = FIRST_WAIT_S, timer = 0, isRenewed = false, isLeaving = false;
  let pressed = null; // the form and the button that wait until all is saved

  const isUnsaved = () => typed > saved;
  const again = () => htmx.trigger(form, "again");
  const retry = () => { if (RETRIED.includes(trouble)) again(); };

  function troubleOf(answer) {
    if (answer.status === 200) {
      const said = answer.getResponseHeader("Tidings-Saved");
      return said === null ? "signed-out" : said === "overtaken" ? said : "";
    }
    if (answer.status === 403 && answer.getResponseHeader("Tidings-Token")) return "out-of-date";
    const known = { 400: "refused", 401: "signed-out", 403: "refused", 404: "gone", 409: "refused", 413: "refused" };
    return known[answer.status] || "unreachable";
  }

  function renew(token) {
    for (const field of document.getElementsByName("csrfmiddlewaretoken")) field.value = token;
  }

  function show(found) {
    const place = document.getElementById("saved"), words = document.getElementById(`unsaved-${found}`);
    if (!words || place.dataset.trouble === found) return;
    place.dataset.trouble = found;
    place.className = "fault";
    place.setAttribute("role", "alert");
    place.replaceChildren(words.content.cloneNode(true));
  }

  function press() {
    const { owner, button } = pressed;
    pressed = null;
    owner.requestSubmit(button);
  }

  function answered(answer) {
    clearTimeout(timer);
    let found = troubleOf(answer);
    if (found === "out-of-date" && !isRenewed) {
      // The person signed in anew, in another window: the form gets the token of this session.
      isRenewed = true;
      renew(answer.getResponseHeader("Tidings-Token"));
      again();
      return;
    }
    if (found === "out-of-date") found = "unreachable";
    isRenewed = false;
    trouble = found;
    if (!trouble) {
      saved = Math.max(saved, sent);
      waitS = FIRST_WAIT_S;
      if (pressed && isUnsaved()) again();
      else if (pressed) press();
      return;
    }
    show(trouble);
    if (pressed && ONLY_BY_BUTTON.includes(trouble)) press();
    pressed = null;
    if (RETRIED.includes(trouble)) {
      timer = setTimeout(again, waitS * 1000);
      waitS = Math.min(2 * waitS, LONGEST_WAIT_S);
    }
  }

  function lastWords() {
    const data = new FormData(form);
    for (const [name, value] of [...data]) if (value instanceof File) data.delete(name);
    data.set("leaves", "1");
    return new URLSearchParams(data);
  }

  async function saveAtLeaving() {
    const upTo = typed;
    const words = { method: "POST", body: lastWords(), keepalive: true, headers: { "HX-Request": "true" } };
    const answer = await fetch(form.getAttribute("hx-post"), words);
    const revision = answer.headers.get("Tidings-Saved") || "";
    if (!/^\d+$/.test(revision)) return;
    // For a browser that shows this very page again, by “Back”.
    saved = Math.max(saved, upTo);
    document.getElementById("revision").value = revision;
  }

  for (const name of ["input", "change"]) form.addEventListener(name, () => { typed += 1; });
  // Parts of the form ask for themselves, too.
  form.addEventListener("htmx:beforeRequest", (event) => { if (event.target === form) sent = typed; });
  form.addEventListener("htmx:afterRequest", (event) => { if (event.target === form) answered(event.detail.xhr); });
  document.addEventListener("submit", (event) => {
    const isOwn = event.target === form;
    if (!isUnsaved() || (isOwn && ONLY_BY_BUTTON.includes(trouble))) {
      isLeaving = true;
    } else if (isOwn || !trouble) {
      event.preventDefault();
      pressed = { owner: event.target, button: event.submitter };
      again();
    } // else the browser asks
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("a[data-drops]")) isLeaving = true;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") retry();
    else if (isUnsaved() && !isLeaving && !trouble) again();
  });
  addEventListener("focus", retry);
  addEventListener("online", retry);
  addEventListener("beforeunload", (event) => {
    if (!isUnsaved() || isLeaving) return;
    if (trouble || !navigator.onLine || String(lastWords()).length > MOST_AT_LEAVING) event.preventDefault();
  });
  addEventListener("pagehide", () => {
    if (isUnsaved() && !isLeaving && savesItself) saveAtLeaving().catch(() => {});
    isLeaving = true;
  });
  addEventListener("pageshow", () => { isLeaving = false; });

  // What somebody typed before this script had come. What a browser puts back by itself waits for the person's next act:
  // it may be older than what the draft says.
  const isFresh = performance.getEntriesByType("navigation")[0]?.type === "navigate";
  const isChanged = (field) => "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue;
  if (isFresh && savesItself && [...form.elements].some(isChanged)) {
    typed = 1;
    addEventListener("DOMContentLoaded", again); // htmx has read the page by then
  }
})();
