"use strict";
/* Sends a video, or a large ZIP file, in pieces (tus 1.0) while somebody goes on writing. After a cut line, a closed laptop or a loaded page it goes on
   where it was; the form is not touched until the video is kept. Without this script the video comes with the form. */
(() => {
  const field = document.querySelector("input[data-videos]");
  if (!field) return;
  const form = field.form, words = field.dataset;
  const box = document.getElementById("video-way"), told = document.getElementById("video-told");
  const bar = document.getElementById("video-bar"), stop = document.getElementById("video-stop");
  const PIECE = 2 * 1024 * 1024, LONGEST_WAIT_MS = 30000;
  let way = null;

  class Final extends Error {}
  class SignedOut extends Error {}

  const say = (text) => { if (told.textContent !== text) told.textContent = text; };
  const show = (offset, size) => {
    bar.value = offset / size;
    say(words.sending.replace("{percent}", String(Math.floor(offset * 10 / size) * 10)));
  };
  const rest = (ms) => new Promise((done, cut) => {
    const timer = setTimeout(done, ms);
    way.signal.addEventListener("abort", () => { clearTimeout(timer); cut(way.signal.reason); }, { once: true });
  });

  const own = () => ({ "Tus-Resumable": "1.0.0", "HX-Request": "true", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value });

  async function ask(address, method, headers, body) {
    const answer = await fetch(address, {
      method, body, signal: way.signal, redirect: "manual",
      headers: { ...own(), ...headers },
    });
    const token = answer.headers.get("Tidings-Token"); // after a sign-in in another window
    if (token) for (const one of document.getElementsByName("csrfmiddlewaretoken")) one.value = token;
    if (token || answer.status === 401 || answer.type === "opaqueredirect") throw new SignedOut();
    return answer;
  }

  async function begin(file) {
    const bytes = new TextEncoder().encode(file.name);
    const name = btoa(String.fromCharCode(...bytes));
    const answer = await ask(words.videos, "POST", { "Upload-Length": String(file.size), "Upload-Metadata": `filename ${name}` });
    if (answer.status === 413 || answer.status === 507) throw new Final(await answer.text());
    if (answer.status !== 201) throw new Error(answer.status);
    return answer.headers.get("Location");
  }

  async function sent(file, key) {
    let address = sessionStorage.getItem(key);
    if (!address) {
      address = await begin(file);
      sessionStorage.setItem(key, address);
    }
    const asked = await ask(address, "HEAD");
    if (asked.status === 404 || asked.status === 410) sessionStorage.removeItem(key);
    if (asked.status !== 200) throw new Error(asked.status);
    let offset = Number(asked.headers.get("Upload-Offset"));
    while (offset < file.size) {
      show(offset, file.size);
      const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) };
      const answer = await ask(address, "PATCH", headers, file.slice(offset, offset + PIECE));
      if (answer.status !== 204) throw new Error(answer.status);
      offset = Number(answer.headers.get("Upload-Offset"));
      way.tries = 0;
    }
    bar.value = 1;
    say(words.checking);
    const answer = await ask(address, "POST");
    if (answer.status === 422) {
      sessionStorage.removeItem(key);
      throw new Final(await answer.text());
    }
    if (answer.status === 202) {
      sessionStorage.removeItem(key);
      htmx.trigger("#conversions", "look");
      throw new Final(words.converting);
    }
    if (answer.status !== 200) throw new Error(answer.status);
    sessionStorage.removeItem(key);
    return answer.json();
  }

  async function send(file) {
    const key = `video ${words.videos} ${file.name} ${file.size} ${file.lastModified}`;
    way = Object.assign(new AbortController(), { tries: 0, key });
    const mine = way;
    box.hidden = false;
    stop.hidden = false;
    show(0, file.size);
    while (way === mine) {
      try {
        const kept = await sent(file, key);
        if (kept.draft) {
          way = null;
          location.assign(kept.draft);
          return;
        }
        form.elements.video.value = kept.video;
        form.elements.poster.value = kept.poster;
        say(words.kept);
        form.dispatchEvent(new Event("change", { bubbles: true }));
        break;
      } catch (error) {
        if (mine.signal.aborted) return;
        if (error instanceof Final) { say(error.message); break; }
        say(error instanceof SignedOut ? words.signedOut : words.waiting);
        await rest(Math.min(LONGEST_WAIT_MS, 1000 * 2 ** mine.tries++)).catch(() => {});
      }
    }
    if (way === mine) { way = null; stop.hidden = true; }
  }

  field.addEventListener("change", () => {
    const file = field.files[0];
    if (!file || file.size <= Number(words.from || 0)) return; // it comes with the form
    field.value = "";
    if (way) way.abort();
    send(file);
  });
  stop.addEventListener("click", () => {
    if (!way) return;
    const address = sessionStorage.getItem(way.key);
    way.abort();
    sessionStorage.removeItem(way.key);
    way = null;
    if (address) fetch(address, { method: "DELETE", headers: own() }).catch(() => {});
    box.hidden = true;
  });
  addEventListener("beforeunload", (event) => { if (way) event.preventDefault(); });
})();
