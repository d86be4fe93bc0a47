/* The map beside a timeline: the line through the positions, broken where there are none, and
   the places of its rows. A row and its marker or stretch of line point at each other. */

import { L, colour, makeMap } from "./map.js";

/* A day numbers its missions: each has a colour while there are enough, and its number on the
   map, since colour alone says nothing. */
const COLOURS = 6;
const missionColour = (number) => colour(`--mission-${(number - 1) % COLOURS + 1}`);

function trackColour({ mission }) {
  if (mission === undefined) return colour("--track");
  return mission ? missionColour(mission) : colour("--edge");
}

const lineStyles = (part) => ({
  driven: { color: trackColour(part), weight: 4, opacity: 0.9 },
  missing: { color: colour("--muted"), weight: 3, dashArray: "1 7", lineCap: "round" },
});

const dotStyle = (isPointed) => ({
  radius: isPointed ? 9 : 5, weight: 2, color: colour("--track"),
  fillColor: isPointed ? colour("--track") : colour("--surface"), fillOpacity: 1,
});

const times = (row) => [Number(row.dataset.from), Number(row.dataset.to)];

/** The points of a part that lie between two moments; a point is [latitude, longitude, when]. */
function stretch({ points }, from, to) {
  return points.filter(([, , at]) => from <= at && at <= to);
}

/** A map of many canvases prints badly: the drawing that it replaced is printed instead. */
function keepForPaper(box, drawing) {
  if (!drawing) return;
  const paper = document.createElement("div");
  paper.className = "paper";
  paper.append(drawing);
  box.after(paper);
}

/** Draws what `#track` and `#timeline` say; `draw()` again after they were replaced. What
    `said(at, part)` returns, if it is given, stands beside a pointed moment of the line. */
export function trackMap({ said } = {}) {
  const box = document.getElementById("map");
  const drawing = box.querySelector("svg.floor");
  const map = makeMap(box);
  keepForPaper(box, drawing);
  const drawn = L.layerGroup().addTo(map);
  const pointed = L.layerGroup().addTo(map);
  const saying = L.tooltip({ direction: "top", offset: [0, -8] });
  let parts = [];
  let lines = [];
  let dots = new Map();
  let isPlaced = false;

  const rows = () => [...document.querySelectorAll("#timeline tr[data-from]")];

  function unpoint() {
    pointed.clearLayers();
    for (const row of document.querySelectorAll("#timeline tr.pointed")) {
      row.classList.remove("pointed");
      row.removeAttribute("aria-current");
      dots.get(row.id)?.setStyle(dotStyle(false));
    }
  }

  function point(row) {
    unpoint();
    row.classList.add("pointed");
    row.setAttribute("aria-current", "true");
    const [from, to] = times(row);
    if (from < to) {
      for (const part of parts) {
        const points = stretch(part, from, to);
        const style = { color: colour("--warning"), weight: 8, opacity: 0.7, interactive: false };
        if (points.length > 1) pointed.addLayer(L.polyline(points, style));
      }
    }
    const dot = dots.get(row.id);
    dot?.setStyle(dotStyle(true));
    dot?.bringToFront();
  }

  /** The row that was going on at a moment: the shortest one, as people mean it. */
  function rowAt(at) {
    const going = rows().filter((row) => times(row)[0] <= at && at <= times(row)[1] && times(row)[0] < times(row)[1]);
    going.sort((a, b) => (times(a)[1] - times(a)[0]) - (times(b)[1] - times(b)[0]));
    return going[0];
  }

  /** The pointer left: what has the focus is pointed at again. */
  function settle() {
    unpoint();
    const focused = document.activeElement?.closest("#timeline tr[data-from]");
    if (focused) point(focused);
  }

  function say(at, part, place) {
    if (!said) return;
    const text = document.createElement("span");
    text.textContent = said(at, part);
    saying.setLatLng(place).setContent(text).addTo(map);
  }

  function goTo(row) {
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  }

  function nearestTime({ points }, place) {
    const away = ([latitude, longitude]) => map.distance([latitude, longitude], place);
    return points.reduce((best, one) => (away(one) < away(best) ? one : best))[2];
  }

  function addLine(part) {
    const line = L.polyline(part.points, { smoothFactor: 1.5 }).addTo(drawn);
    line.on("click", ({ latlng }) => {
      const at = nearestTime(part, latlng);
      say(at, part, latlng);
      goTo(rowAt(at));
    });
    line.on("mousemove", ({ latlng }) => {
      const at = nearestTime(part, latlng);
      say(at, part, latlng);
      const row = rowAt(at);
      if (row && !row.classList.contains("pointed")) point(row);
    });
    line.on("mouseout", () => {
      saying.remove();
      settle();
    });
    return { part, line };
  }

  /** Each mission's number in the middle of its longest stretch. */
  function addNumbers() {
    const longest = new Map();
    for (const { mission, points } of parts) {
      if (mission && points.length > (longest.get(mission)?.length ?? 0)) longest.set(mission, points);
    }
    for (const [mission, points] of longest) {
      const [latitude, longitude] = points[Math.floor(points.length / 2)];
      const html = document.createElement("span");
      html.textContent = mission;
      const icon = L.divIcon({ className: `mission-mark mission-${(mission - 1) % COLOURS + 1}`, html, iconSize: [24, 24] });
      L.marker([latitude, longitude], { icon, interactive: false, keyboard: false }).addTo(drawn);
    }
  }

  function addDot(row) {
    const dot = L.circleMarker([Number(row.dataset.latitude), Number(row.dataset.longitude)]).addTo(drawn);
    dot.bindTooltip(row.dataset.name);
    dot.on("mouseover", () => point(row));
    dot.on("mouseout", settle);
    dot.on("click", () => goTo(row));
    return [row.id, dot];
  }

  function paint() {
    for (const { part, line } of lines) line.setStyle(lineStyles(part)[part.kind]);
    for (const dot of dots.values()) dot.setStyle(dotStyle(false));
  }

  function draw() {
    drawn.clearLayers();
    pointed.clearLayers();
    parts = JSON.parse(document.getElementById("track").textContent);
    lines = parts.map(addLine);
    addNumbers();
    dots = new Map(rows().filter((row) => row.dataset.latitude).map(addDot));
    paint();
    settle();
    const layers = drawn.getLayers();
    if (!isPlaced && layers.length) {
      // Once: afterwards the map stays where the person has moved it.
      map.fitBounds(L.featureGroup(layers).getBounds(), { padding: [30, 30], maxZoom: 14, animate: false });
      isPlaced = true;
    }
  }

  for (const [type, isIn] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(type, ({ target }) => {
      const row = target.closest?.("#timeline tr[data-from]");
      if (row && isIn) point(row);
      else if (row && type === "mouseout") settle();
      else if (row) unpoint();
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  draw();
  return { draw };
}
