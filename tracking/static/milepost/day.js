/* A day's map: the line through its positions, broken where there are none, and its stops. */

import { L, colour, makeMap } from "./map.js";

const map = makeMap(document.getElementById("map"));
const parts = JSON.parse(document.getElementById("track").textContent);
const rows = [...document.querySelectorAll("#timeline tr[data-latitude]")];

const lineStyles = () => ({
  driven: { color: colour("--track"), weight: 4, opacity: 0.9 },
  missing: { color: colour("--muted"), weight: 3, dashArray: "1 7", lineCap: "round" },
});

const dotStyle = (isPointed) => ({
  radius: isPointed ? 9 : 5, weight: 2, color: colour("--track"),
  fillColor: isPointed ? colour("--track") : colour("--surface"), fillOpacity: 1,
});

const lines = parts.map(({ kind, points }) => ({ kind, line: L.polyline(points, { smoothFactor: 1.5, interactive: false }) }));
const dots = rows.map((row) => {
  const dot = L.circleMarker([Number(row.dataset.latitude), Number(row.dataset.longitude)]);
  dot.bindTooltip(row.dataset.name);
  dot.on("mouseover", () => row.classList.add("pointed"));
  dot.on("mouseout", () => row.classList.remove("pointed"));
  dot.on("click", () => row.scrollIntoView({ block: "center" }));
  row.addEventListener("mouseover", () => { dot.setStyle(dotStyle(true)); dot.bringToFront(); });
  row.addEventListener("mouseout", () => dot.setStyle(dotStyle(false)));
  return dot;
});

function paint() {
  const styles = lineStyles();
  for (const { kind, line } of lines) line.setStyle(styles[kind]);
  for (const dot of dots) dot.setStyle(dotStyle(false));
}

for (const { line } of lines) line.addTo(map);
for (const dot of dots) dot.addTo(map);
paint();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);

const all = L.featureGroup([...lines.map(({ line }) => line), ...dots]);
if (all.getLayers().length) map.fitBounds(all.getBounds(), { padding: [30, 30], maxZoom: 14 });
