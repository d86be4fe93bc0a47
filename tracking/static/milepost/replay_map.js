/* The map of a replay: the whole line, what is driven so far, where it stood, and the marker. */

import { L, colour, makeMap } from "./map.js";

// Redrawn for each frame is only the piece that the marker is on.
const POINTS_AT_ONCE = 200;
// More names than this cover each other; then they show when pointed at.
const NAMES_AT_MOST = 12;
// After somebody has moved the map, following waits for them.
const PATIENCE_MS = 4_000;
const ARROW = "M12 1 20 21 12 16.5 4 21Z";

const styles = () => ({
  ahead: { color: colour("--track"), weight: 3, opacity: 0.45 },
  done: { color: colour("--track"), weight: 6, opacity: 1, interactive: false },
  missing: { color: colour("--muted"), weight: 3, dashArray: "1 7", lineCap: "round", interactive: false },
  stop: { radius: 7, weight: 3, color: colour("--track"), fillColor: colour("--surface"), fillOpacity: 1 },
  stage: { radius: 4, weight: 1, color: colour("--surface"), fillColor: colour("--text"), fillOpacity: 1 },
  standstill: { radius: 6, weight: 2, color: colour("--surface"), fillColor: colour("--edge"), fillOpacity: 1 },
});

/** Pieces of the line: [first, last] positions of each, what is `off` left out. */
function piecesOf(track) {
  const pieces = [];
  for (let n = 0; n + 1 < track.t.length; n += 1) {
    const kind = track.isDriven(n) ? "ahead" : track.kinds[n] === "gap" ? "missing" : "";
    const before = pieces.at(-1);
    const goesOn = before && before.kind === kind && before.last === n && n - before.first < POINTS_AT_ONCE;
    if (kind && goesOn) before.last = n + 1;
    else if (kind) pieces.push({ kind, first: n, last: n + 1 });
  }
  return pieces;
}

function markerIcon() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, attributes] of [["path", { d: ARROW }], ["circle", { cx: 12, cy: 12, r: 8 }]]) {
    const drawn = document.createElementNS(svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) drawn.setAttribute(key, value);
    svg.append(drawn);
  }
  return L.divIcon({ className: "replayed", html: svg, iconSize: [32, 32] });
}

/** Draws a track in `box`. `jump(t)` is called when somebody clicks the line or a mark. */
export function replayMap(box, track, marks, jump) {
  const map = makeMap(box);
  const renderer = L.canvas({ tolerance: 10, padding: 0.3 });
  const pieces = piecesOf(track);
  let paused = 0;
  let now = 0;
  let heading = 0;
  let shown = -1;
  let moved = 0;

  const points = (first, last) => Array.from({ length: last - first + 1 }, (_, n) => track.point(first + n));

  for (const piece of pieces) {
    piece.line = L.polyline(points(piece.first, piece.last), { renderer, smoothFactor: 1 }).addTo(map);
    if (piece.kind === "ahead") {
      piece.done = L.polyline([], { renderer, smoothFactor: 1, interactive: false }).addTo(map);
      piece.line.on("click", ({ containerPoint }) => {
        jump(track.nearest((place) => map.latLngToContainerPoint(place), containerPoint, now));
      });
    }
  }
  const named = marks.filter(({ kind }) => kind !== "stage").length <= NAMES_AT_MOST;
  // Where it stood lies above the stages that were marked there.
  const dots = [...marks].sort((a, b) => (b.kind === "stage") - (a.kind === "stage")).map((mark) => {
    const dot = L.circleMarker([mark.latitude, mark.longitude], { renderer }).addTo(map);
    const name = document.createElement("span");
    name.textContent = [mark.name, mark.duration].filter(Boolean).join(": ");
    dot.bindTooltip(name, { permanent: named && mark.kind !== "stage", direction: "top", offset: [0, -6], className: "stood" });
    dot.on("click", () => jump(Math.max(0, mark.t)));
    return { kind: mark.kind, dot };
  });
  const marker = L.marker(track.point(0), { icon: markerIcon(), interactive: false, keyboard: false, zIndexOffset: 1000 });
  marker.addTo(map);
  const arrow = marker.getElement().querySelector("svg");

  function paint() {
    const found = styles();
    for (const { kind, line, done } of pieces) {
      line.setStyle(found[kind]);
      done?.setStyle(found.done);
    }
    for (const { kind, dot } of dots) dot.setStyle(found[kind]);
  }

  /** The pieces before the marker whole, the one it is on as far as it is, those after it not. */
  function drawDone(n, place) {
    const current = pieces.findIndex(({ last }) => n < last);
    const until = current < 0 ? pieces.length : current;
    const [low, high] = [Math.min(shown, until), Math.max(shown, until)];
    pieces.forEach(({ done, first, last }, index) => {
      if (!done || (shown >= 0 && (index < low || index > high))) return;
      if (index < until) done.setLatLngs(points(first, last));
      else if (index === until && first <= n) done.setLatLngs([...points(first, n), place]);
      else done.setLatLngs([]);
    });
    shown = until;
  }

  function follow(place) {
    const clock = performance.now();
    if (clock < paused || clock - moved < 400 || map.getBounds().pad(-0.15).contains(place)) return;
    moved = clock;
    map.panTo(place, { animate: !matchMedia("(prefers-reduced-motion: reduce)").matches });
  }

  function show(t, { n, place, isHeld }, kind, isFollowed) {
    now = t;
    heading = track.headingDeg(n) ?? heading;
    marker.setLatLng(place);
    const element = marker.getElement();
    element.className = element.className.replace(/ is-\w+/g, "");
    element.classList.add(`is-${isHeld && kind === "move" ? "gap" : kind}`);
    Object.assign(element.dataset, { latitude: place[0].toFixed(5), longitude: place[1].toFixed(5) });
    arrow.style.transform = `rotate(${heading.toFixed(1)}deg)`;
    drawDone(n, place);
    if (isFollowed) follow(place);
  }

  map.on("dragstart", () => { paused = Infinity; });
  map.on("dragend", () => { paused = performance.now() + PATIENCE_MS; });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  paint();
  map.fitBounds(L.latLngBounds(track.t.map((_, n) => track.point(n))), { padding: [40, 40], maxZoom: 14 });
  return { show };
}
