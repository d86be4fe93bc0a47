/* Ask every 15 seconds for a part of the page; nothing is swapped while nothing has changed. */

const REFRESH_MS = 15_000;

/** Keep `box` fresh from its `data-url`. `swapped` is called after new content is in place;
    `isWanted` says whether there is still anything to ask for. */
export function keepFresh(box, stale, swapped, isWanted = () => true) {
  let etag = box.dataset.etag ?? "";

  function refresh() {
    if (document.hidden || !isWanted()) return;
    const headers = etag ? { "If-None-Match": etag } : {};
    window.htmx.ajax("GET", box.dataset.url, { source: box, target: box, swap: "innerHTML show:none", headers });
  }

  box.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
    etag = detail.xhr.getResponseHeader("ETag") ?? etag;
    // Signed out meanwhile: the answer is the sign-in page, which does not belong in here.
    if (detail.xhr.responseURL && !detail.xhr.responseURL.endsWith(box.dataset.url)) location.reload();
    stale.textContent = "";
  });
  box.addEventListener("htmx:afterSwap", swapped);
  for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    box.addEventListener(failure, () => { stale.textContent = box.dataset.away; });
  }
  document.addEventListener("visibilitychange", refresh);
  setInterval(refresh, REFRESH_MS);
}
