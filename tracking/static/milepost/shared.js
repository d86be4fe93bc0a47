/* The page of a shared stop asks for itself anew every two minutes while somebody looks at it.
   Without scripts its link "Look again" does the same. */

const REFRESH_MS = 120_000;
const box = document.getElementById("shared");
const stale = document.getElementById("stale");

async function refresh() {
  // Not under the finger of somebody who is about to open the proof.
  if (document.hidden || box.contains(document.activeElement)) return;
  try {
    const answer = await fetch(location.href, { headers: { "Milepost-Refresh": "1" }, cache: "no-store" });
    if (answer.status === 404) location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    box.replaceChildren(...page.getElementById("shared").childNodes);
    stale.textContent = "";
  } catch {
    stale.textContent = box.dataset.away;
  }
}

setInterval(refresh, REFRESH_MS);
document.addEventListener("visibilitychange", refresh);
