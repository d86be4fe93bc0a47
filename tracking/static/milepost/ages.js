/* How long ago something was, as text that counts on while the page is open. The words come from
   `#age-words` ({% age_words %}); on a page without it, from the browser in the page's language. */

const TICK_MS = 10_000;
const words = document.getElementById("age-words")?.dataset;
// The page's own clock may be wrong: what counts is how far it is from the server's.
const skewMs = words ? Number(words.now) - Date.now() : 0;

/** Now by the server's clock, in milliseconds. */
export const serverNow = () => Date.now() + skewMs;

const fill = (pattern, values) => pattern.replace(/%\((\w+)\)s/g, (_, name) => values[name]);

function duration(minutes) {
  if (minutes < 60) return fill(words.minutes, { minutes });
  return fill(words.hours, { hours: Math.floor(minutes / 60), minutes: String(minutes % 60).padStart(2, "0") });
}

function days(count) {
  return fill(count === 1 ? words.day : words.days, { days: count });
}

/** For example `just now`, `12 min ago`, `silent 42 min`, `3 days ago`: as the server writes it. */
export function ageText(ageS, isSilent = false) {
  const minutes = Math.max(0, Math.floor(ageS / 60));
  if (!words) {
    return new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "short", numeric: "auto" }).format(-minutes, "minute");
  }
  if (isSilent && minutes < 48 * 60) return fill(words.silent, { duration: duration(minutes) });
  if (minutes < 1) return words.justNow;
  if (minutes < 48 * 60) return fill(words.ago, { duration: duration(minutes) });
  return days(Math.floor(minutes / (24 * 60)));
}

/** Writes the age of each `[data-recorded-at]` (milliseconds) now, and again while it grows. */
export function keepCounting(box = document) {
  function count() {
    const now = serverNow();
    for (const element of box.querySelectorAll("[data-recorded-at]")) {
      const text = ageText((now - Number(element.dataset.recordedAt)) / 1000, "silent" in element.dataset);
      if (element.textContent !== text) element.textContent = text;
    }
  }
  count();
  setInterval(count, TICK_MS);
  return count;
}
