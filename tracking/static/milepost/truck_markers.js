/* Trucks on a map as arrows that point where each was heading. A truck is
   {id, label, latitude, longitude, heading_deg | null, age_s, state: "moving" | "resting" | "silent", url}.
   What it looks like is in map.css; a state is told by its shape and in words, not by colour alone. */

import { ageText, serverNow } from "./ages.js";
import { L } from "./map.js";

const SVG = "http://www.w3.org/2000/svg";
const ARROW = "M12 2 19 21 12 17 5 21Z";
const SQUARE = "M6 6H18V18H6Z";
// More names than this in view cannot be read: then only the one pointed at has its name.
const NAMES_AT_MOST = 40;

const shorter = (label) => label.match(/\d+$/)?.[0].slice(-3)
  ?? label.split(/\s+/).map((word) => word[0]).join("").slice(0, 3).toUpperCase();

function text(className, content) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = content;
  return span;
}

/** A parked truck points nowhere; one whose direction nobody knows is a dot, when silent a square. */
function shape({ heading_deg, state }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const hasArrow = heading_deg !== null && state !== "resting";
  const isRound = !hasArrow && state !== "silent";
  const drawn = document.createElementNS(SVG, isRound ? "circle" : "path");
  const attributes = isRound ? { cx: 12, cy: 12, r: 6 } : { d: hasArrow ? ARROW : SQUARE };
  if (hasArrow) attributes.transform = `rotate(${heading_deg} 12 12)`;
  for (const [name, value] of Object.entries(attributes)) drawn.setAttribute(name, value);
  svg.append(drawn);
  return svg;
}

function iconOf(truck) {
  const html = document.createElement("div");
  html.append(text("name", truck.label), text("initials", shorter(truck.label)), shape(truck));
  return L.divIcon({ className: `pin truck ${truck.state}`, html, iconSize: [24, 24] });
}

const looks = ({ label, heading_deg, state }) => `${state} ${heading_deg} ${label}`;

/** What a marker says: its name and how old its fix is. */
function said({ truck, at }) {
  return `${truck.label}, ${ageText((serverNow() - at) / 1000, truck.state === "silent")}`;
}

/** Draws trucks on a map. `pointed(id | null)` is told which one the mouse or the focus is on,
    `chosen(id)` which one was clicked; without it a click opens the truck's url.

    `update(trucks)` draws exactly these: the first time so that all can be seen, afterwards the
    map stays where the person has moved it, until `fit()`. `focus(id)` brings one into view and
    marks it, `point(id)` only marks it; with null none. */
export function truckMarkers(map, { pointed = () => {}, chosen } = {}) {
  const known = new Map();
  let isPlaced = false;
  let shown = null;

  function choose(id) {
    if (chosen) chosen(id);
    else if (known.get(id)?.truck.url) location.href = known.get(id).truck.url;
  }

  function listen(id, marker) {
    marker.on("click", () => choose(id));
    marker.on("keypress", ({ originalEvent }) => { if (originalEvent.key === "Enter") choose(id); });
    marker.on("mouseover", () => { mark(id); pointed(id); });
    marker.on("mouseout", () => { mark(null); pointed(null); });
  }

  function dress(one) {
    const element = one.marker.getElement();
    element.dataset.truck = one.truck.id;
    element.setAttribute("aria-label", said(one));
    element.classList.toggle("pointed", one.truck.id === shown);
    element.onfocus = () => { mark(one.truck.id); pointed(one.truck.id); };
    element.onblur = () => { mark(null); pointed(null); };
  }

  function add(truck) {
    const one = { truck, at: 0, marker: L.marker([truck.latitude, truck.longitude], { icon: iconOf(truck), riseOnHover: true }) };
    one.marker.bindTooltip(() => said(one), { direction: "top", offset: [0, -8] });
    listen(truck.id, one.marker.addTo(map));
    known.set(truck.id, one);
    return one;
  }

  function draw(truck) {
    const one = known.get(truck.id) ?? add(truck);
    if (looks(one.truck) !== looks(truck)) one.marker.setIcon(iconOf(truck));
    one.marker.setLatLng([truck.latitude, truck.longitude]);
    one.truck = truck;
    one.at = serverNow() - truck.age_s * 1000;
    dress(one);
  }

  function mark(id) {
    known.get(shown)?.marker.getElement().classList.remove("pointed");
    shown = id;
    known.get(id)?.marker.getElement().classList.add("pointed");
  }

  function thinNames() {
    const view = map.getBounds();
    let inView = 0;
    for (const { marker } of known.values()) inView += view.contains(marker.getLatLng());
    map.getContainer().classList.toggle("crowded", inView > NAMES_AT_MOST);
    // Hundreds of stops on the way through the page help nobody: the table has them, too.
    for (const { marker } of known.values()) marker.getElement().tabIndex = known.size > NAMES_AT_MOST ? -1 : 0;
  }

  function fit() {
    if (!known.size) return;
    map.fitBounds([...known.values()].map(({ marker }) => marker.getLatLng()), { paddingTopLeft: [75, 50], paddingBottomRight: [75, 30], maxZoom: 11 });
    isPlaced = true;
  }

  function update(trucks) {
    const wanted = new Set(trucks.map(({ id }) => id));
    for (const [id, { marker }] of known) {
      if (!wanted.has(id)) {
        marker.remove();
        known.delete(id);
      }
    }
    trucks.forEach(draw);
    if (!isPlaced) fit();
    thinNames();
  }

  function focus(id) {
    mark(id);
    const marker = known.get(id)?.marker;
    if (marker && !map.getBounds().pad(-0.1).contains(marker.getLatLng())) map.panTo(marker.getLatLng());
  }

  map.on("moveend", thinNames);
  return { update, focus, fit, point: mark };
}
