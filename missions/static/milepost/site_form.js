/* The point and the radius of a site on the map: the inputs say the same and come first. */

import { L, colour, makeMap } from "./map.js";

const form = document.getElementById("site");
const { latitude, longitude, radius_m: radius } = form.elements;
const placed = document.getElementById("placed");
const middle = document.getElementById("middle");
const map = makeMap(document.getElementById("map"));

const degrees = (input, limit) => {
  const typed = input.value.trim().replace(",", ".");
  const number = Number(typed);
  return typed && Number.isFinite(number) && Math.abs(number) <= limit ? number : null;
};

const icon = L.divIcon({ className: "site-pin", iconSize: [28, 28] });
const marker = L.marker([0, 0], { icon, draggable: true, autoPan: true, title: placed.dataset.title });
const circle = L.circle([0, 0], { color: colour("--accent"), weight: 2, fillOpacity: 0.12, interactive: false });

function draw() {
  const place = [degrees(latitude, 90), degrees(longitude, 180)];
  if (place.includes(null)) {
    marker.remove();
    circle.remove();
    return;
  }
  marker.setLatLng(place).addTo(map);
  circle.setLatLng(place).setRadius(Math.max(1, Number(radius.value) || 0)).addTo(map);
}

function put({ lat, lng }) {
  const point = L.latLng(lat, lng).wrap();
  latitude.value = point.lat.toFixed(6);
  longitude.value = point.lng.toFixed(6);
  placed.textContent = placed.dataset.words.replace("{place}", `${latitude.value}, ${longitude.value}`);
  draw();
}

for (const input of [latitude, longitude, radius]) input.addEventListener("input", draw);
marker.on("drag", () => circle.setLatLng(marker.getLatLng()));
marker.on("dragend", () => put(marker.getLatLng()));
map.on("click", ({ latlng }) => put(latlng));
middle.hidden = false;
middle.addEventListener("click", () => put(map.getCenter()));

draw();
if (map.hasLayer(marker)) map.fitBounds(circle.getBounds(), { maxZoom: 16, padding: [40, 40] });
