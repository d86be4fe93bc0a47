/* Where the live page's news comes from: a stream of events while it can be had, else asking
   every 15 seconds. A page that nobody sees asks for nothing. */

const POLL_MS = 15_000;
// The server says something every 15 seconds, if only that it is there.
const SILENT_MS = 40_000;
const PATIENCE_MS = 5_000;
const RETRY_MS = 30_000;
const KINDS = ["versions", "rows", "beat", "here", "away", "over"];

/** `url()` is the stream's address, `told(kind, data)` gets its events, `refresh()` asks for
    everything and says whether it got it, `fresh("live" | "polled" | "away")` is told how it is. */
export function liveSource({ url, told, refresh, fresh }) {
  let source = null;
  let polling = 0;
  let retrying = 0;
  let watching = 0;
  let isFailing = false;
  let isAway = false;

  async function poll() {
    const isThere = await refresh();
    if (polling) fresh(isThere ? "polled" : "away");
  }

  function startPolling() {
    if (polling || document.hidden) return;
    polling = setInterval(poll, POLL_MS);
    poll();
  }

  function stopPolling() {
    clearInterval(polling);
    polling = 0;
  }

  function waitFor(ms) {
    clearTimeout(watching);
    watching = setTimeout(() => { startPolling(); open(); }, ms);
  }

  function heard(kind, text) {
    isFailing = false;
    waitFor(SILENT_MS);
    if (kind === "away") {
      isAway = true;
      fresh("away");
      startPolling();
      return;
    }
    // The stream is there, but what it would tell is not.
    if (kind === "beat" && isAway) return;
    if (kind === "over") {
      // Signed out, or not a dispatcher any more: the server says which.
      location.reload();
      return;
    }
    isAway = false;
    stopPolling();
    fresh("live");
    told(kind, text ? JSON.parse(text) : null);
  }

  function failed() {
    if (source?.readyState === EventSource.CLOSED) {
      // Refused, for example because many are open: ask by ourselves, and try again later.
      close();
      startPolling();
      retrying = setTimeout(open, RETRY_MS);
    } else if (!isFailing && !polling) {
      // The browser tries again by itself, every few seconds; we wait from the first failure on.
      isFailing = true;
      waitFor(PATIENCE_MS);
    }
  }

  function open() {
    close();
    if (document.hidden) return;
    source = new EventSource(url());
    for (const kind of KINDS) source.addEventListener(kind, ({ data }) => heard(kind, data));
    source.addEventListener("error", failed);
    waitFor(polling ? RETRY_MS : PATIENCE_MS);
  }

  function close() {
    source?.close();
    source = null;
    clearTimeout(retrying);
    clearTimeout(watching);
  }

  function start() {
    if ("EventSource" in window) open();
    else startPolling();
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      close();
      stopPolling();
    } else {
      start();
    }
  });
  // A page that goes into the browser's store would keep its connection.
  addEventListener("pagehide", close);
  addEventListener("pageshow", ({ persisted }) => { if (persisted) start(); });
  start();
  return { restart: start };
}
