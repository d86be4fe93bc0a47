/* A mission's page: its map beside its timeline, and both anew while the mission is under way. */

import { keepFresh } from "./refresh.js";
import { trackMap } from "./track_map.js";

const now = document.getElementById("now");
// Without anything recorded there is no map yet; the first news loads the page again.
const shown = document.getElementById("map") ? trackMap() : { draw: () => location.reload() };

function swapped() {
  if (document.querySelector("#timeline tr") || document.getElementById("map")) shown.draw();
}

keepFresh(now, document.getElementById("stale"), swapped, () => now.querySelector("[data-refreshed]") !== null);
