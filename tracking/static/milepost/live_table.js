/* The table of the fleet: rows put in the place of older ones, and all of it anew. What has the
   focus keeps it, by its id. */

const SELECTOR = "tr[data-driver]";

function keepingFocus(box, change) {
  const { id } = document.activeElement ?? {};
  const isInside = id && box.contains(document.activeElement);
  change();
  if (isInside) document.getElementById(id)?.focus({ preventScroll: true });
}

function rowFrom(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.querySelector("tr");
}

/** `patch` and `isSame` say false where the table has to be fetched anew. */
export function liveTable(box) {
  let etag = box.dataset.etag;
  let asking = null;

  const rows = () => [...box.querySelectorAll(SELECTOR)];
  const rowOf = (driver) => box.querySelector(`tr[data-driver="${CSS.escape(driver)}"]`);

  function put(row) {
    const old = rowOf(row.dataset.driver);
    const group = box.querySelector(`tbody[data-group="${row.dataset.state}"]`);
    if (!old || !group) return false;
    row.classList.toggle("pointed", old.classList.contains("pointed"));
    if (old.parentNode === group && old.dataset.order === row.dataset.order) {
      old.replaceWith(row);
    } else {
      old.remove();
      const later = [...group.querySelectorAll(SELECTOR)].find((one) => one.dataset.order > row.dataset.order);
      group.insertBefore(row, later ?? null);
    }
    return true;
  }

  function countGroups() {
    for (const group of box.querySelectorAll("tbody[data-group]")) {
      const count = group.querySelectorAll(SELECTOR).length;
      if (count) group.querySelector(".count").textContent = count;
      else group.remove();
    }
  }

  function patch({ rows: news, gone }) {
    let isWhole = true;
    keepingFocus(box, () => {
      for (const html of news) isWhole = put(rowFrom(html)) && isWhole;
      for (const driver of gone) rowOf(driver)?.remove();
      countGroups();
    });
    return isWhole && rows().length > 0;
  }

  /** Whether exactly these versions are shown. */
  function isSame(versions) {
    const shown = rows();
    return shown.length === Object.keys(versions).length
      && shown.every(({ dataset }) => versions[dataset.driver] === dataset.version);
  }

  async function answerOf(url, signal) {
    const response = await fetch(url, { signal, headers: etag ? { "If-None-Match": etag } : {} });
    // Signed out meanwhile: the answer is the sign-in page, which does not belong in here.
    if (response.redirected) location.reload();
    return response;
  }

  /** Asks for the table; says whether the server answered, or null when asked again meanwhile. */
  async function refresh() {
    asking?.abort();
    const mine = asking = new AbortController();
    try {
      const response = await answerOf(box.dataset.url, mine.signal);
      if (response.status === 304) return true;
      if (!response.ok || response.redirected) return false;
      const html = await response.text();
      etag = response.headers.get("ETag");
      keepingFocus(box, () => { box.innerHTML = html; });
      box.dispatchEvent(new Event("swapped"));
      return true;
    } catch {
      return mine.signal.aborted ? null : false;
    }
  }

  function ask(url) {
    box.dataset.url = url;
    etag = "";
    return refresh();
  }

  return { rows, rowOf, patch, isSame, refresh, ask };
}
