/* The sites of the table, and of its other pages, as dots: canvas, since there may be thousands. */

import { L, colour, makeMap } from "./map.js";

const map = makeMap(document.getElementById("map"));
const points = JSON.parse(document.getElementById("points").textContent);

const dots = points.map(({ name, latitude, longitude, url }) => {
  const dot = L.circleMarker([latitude, longitude], {
    radius: 6, weight: 2, color: colour("--surface"), fillColor: colour("--accent"), fillOpacity: 0.9,
  });
  const words = document.createElement("span");
  words.textContent = name;
  dot.bindTooltip(words);
  dot.on("click", () => { location.href = url; });
  return dot.addTo(map);
});
if (dots.length) {
  map.fitBounds(dots.map((dot) => dot.getLatLng()), { padding: [30, 30], maxZoom: 13 });
}
