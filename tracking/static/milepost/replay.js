/* The replay page: plays a day or a mission on its map. What time is: replay_clock.js. */

import { ReplayClock, Track, clockText, lastOf } from "./replay_clock.js";
import { replayMap } from "./replay_map.js";
import { shortcuts } from "./shortcuts.js";

const SVG = "http://www.w3.org/2000/svg";
// A screen reader is told at most so often, and of several things the last one.
const ANNOUNCED_MS = 2_000;
const STEP_MS = 1_000;

const byId = (id) => document.getElementById(id);
const page = byId("replay");
const controls = {
  at: byId("at"), play: byId("play"), speed: byId("speed"), compress: byId("compress"), follow: byId("follow"),
};
const reduced = matchMedia("(prefers-reduced-motion: reduce)");

function fail() {
  byId("failed").hidden = false;
}

async function load() {
  const response = await fetch(page.dataset.url, { headers: { Accept: "application/json" } });
  if (!response.ok || response.redirected) throw new Error("no data");
  return response.json();
}

function drawStrip({ parts, ended_s }) {
  const strip = byId("strip");
  strip.setAttribute("viewBox", `0 0 ${Math.max(1, ended_s)} 10`);
  const [top, height] = [{ move: 0, standing: 5, gap: 4, off: 9 }, { move: 10, standing: 5, gap: 2, off: 1 }];
  strip.replaceChildren(...parts.map(({ from, to, kind }) => {
    const bar = document.createElementNS(SVG, "rect");
    const attributes = { x: from, y: top[kind], width: to - from, height: height[kind], class: kind };
    for (const [name, value] of Object.entries(attributes)) bar.setAttribute(name, value);
    return bar;
  }));
}

/** Says things politely: not more often than every two seconds, of several the last one. */
function announcer(box) {
  let waiting = null;
  let saidAt = -Infinity;
  return (text) => {
    clearTimeout(waiting);
    const wait = Math.max(0, saidAt + ANNOUNCED_MS - performance.now());
    waiting = setTimeout(() => {
      saidAt = performance.now();
      box.textContent = text;
    }, wait);
  };
}

function player(data) {
  const track = new Track(data);
  const map = replayMap(byId("map"), track, data.marks, (at) => seek(at));
  const announce = announcer(byId("announced"));
  const stages = data.stages.map((stage) => [stage.t, stage]);
  let clock = makeClock();
  let t = 0;
  let timer = null;
  let frameAt = 0;
  let saidPart = null;
  let saidStage = null;
  let valueTextAt = -Infinity;

  function makeClock() {
    return new ReplayClock(data.parts, {
      factor: Number(controls.speed.value), idleShownS: data.idle_shown_s, isCompressed: controls.compress.checked,
    });
  }

  /** Where less movement is wanted nothing glides: it stands at one position, then at the next. */
  function shownTime() {
    return timer !== null && reduced.matches ? Math.max(track.t[track.indexAt(t)], clock.partAt(t)?.from ?? 0) : t;
  }

  function noteOf(part) {
    if (!part) return "";
    if (part.kind === "gap" || part.kind === "off") return "";
    if (part.kind === "standing" && clock.isShortened(part)) return part.shown;
    return part.duration ?? "";
  }

  function names(at) {
    const [, driver, truck, mission] = lastOf(data.who, at) ?? [];
    const found = [data.drivers[driver], data.trucks[truck], page.dataset.mission ? undefined : data.missions[mission]];
    return found.filter(Boolean).join(" · ");
  }

  function say(part, stage) {
    const isNewPart = part !== saidPart;
    const isNewStage = stage !== saidStage;
    saidPart = part;
    saidStage = stage;
    const words = [];
    if (isNewStage && stage) words.push([stage.what, stage.where].filter(Boolean).join(", "));
    if (isNewPart && part?.said) words.push(part.said);
    if (words.length) announce(words.join(". "));
  }

  function writeNow(at) {
    const part = clock.partAt(at);
    const stage = lastOf(stages, Math.floor(at))?.[1];
    byId("clock").textContent = clockText(data, at, true);
    byId("what").textContent = part?.kind === "gap" || part?.kind === "off"
      ? part.said : [part?.what, part?.where].filter(Boolean).join(", ");
    byId("note").textContent = at >= data.ended_s ? page.dataset.ended : noteOf(part);
    byId("now").dataset.kind = part?.kind ?? "move";
    byId("last-stage").textContent = stage
      ? [`${clockText(data, stage.t)} ${stage.what}`, stage.where].filter(Boolean).join(", ") : "";
    byId("who").textContent = names(at);
    point(part);
    say(part, stage);
  }

  function point(part) {
    const row = part?.row ? byId(`row-${part.row}`) : null;
    if (row?.classList.contains("pointed")) return;
    for (const other of document.querySelectorAll("#timeline tr.pointed")) {
      other.classList.remove("pointed");
      other.removeAttribute("aria-current");
    }
    row?.classList.add("pointed");
    row?.setAttribute("aria-current", "time");
  }

  function writeValue(at) {
    controls.at.value = Math.round(at);
    // While it plays the slider may have the focus: its text would be read without end.
    if (timer !== null && performance.now() - valueTextAt < ANNOUNCED_MS * 2) return;
    valueTextAt = performance.now();
    controls.at.setAttribute("aria-valuetext", clockText(data, at, true));
  }

  function paint() {
    const at = shownTime();
    const kind = clock.partAt(at)?.kind ?? "move";
    map.show(at, track.at(at), kind, controls.follow.checked);
    writeNow(at);
    writeValue(at);
  }

  function seek(at) {
    t = Math.min(data.ended_s, Math.max(0, at));
    valueTextAt = -Infinity;
    paint();
  }

  function advance(elapsedMs) {
    t = clock.timeAt(clock.screenAt(t) + elapsedMs / 1000);
    if (t >= data.ended_s) pause();
    paint();
  }

  function frame(at) {
    // A window in the background gets no frames; it does not catch up with what it missed.
    const elapsedMs = Math.min(1_000, Math.max(0, at - frameAt));
    frameAt = at;
    timer = requestAnimationFrame(frame);
    advance(elapsedMs);
  }

  function play() {
    if (timer !== null) return;
    if (t >= data.ended_s) t = 0;
    frameAt = performance.now();
    timer = reduced.matches ? setInterval(() => advance(STEP_MS), STEP_MS) : requestAnimationFrame(frame);
    showPlaying();
  }

  function pause() {
    if (timer === null) return;
    t = shownTime();
    cancelAnimationFrame(timer);
    clearInterval(timer);
    timer = null;
    showPlaying();
    seek(t);
  }

  function showPlaying() {
    const isPlaying = timer !== null;
    controls.play.classList.toggle("playing", isPlaying);
    controls.play.querySelector("span").textContent = isPlaying ? page.dataset.pause : page.dataset.play;
  }

  const toggle = () => (timer === null ? play() : pause());
  const stepBack = () => seek(track.previous(t));
  const stepOn = () => seek(track.next(t));

  function faster(by) {
    const wanted = Math.min(controls.speed.options.length - 1, Math.max(0, controls.speed.selectedIndex + by));
    controls.speed.selectedIndex = wanted;
    retime();
  }

  function retime() {
    clock = makeClock();
    paint();
  }

  const keys = {
    " ": [toggle, "keyPlay"],
    ArrowLeft: [stepBack, "keyStep"], ArrowRight: [stepOn, "keyStep"],
    Home: [() => seek(0), "keyEnds"], End: [() => seek(data.ended_s), "keyEnds"],
    "+": [() => faster(1), "keySpeed"], "-": [() => faster(-1), "keySpeed"],
  };

  function listen() {
    controls.play.addEventListener("click", toggle);
    byId("back").addEventListener("click", stepBack);
    byId("on").addEventListener("click", stepOn);
    controls.at.addEventListener("input", () => seek(Number(controls.at.value)));
    controls.speed.addEventListener("change", retime);
    controls.compress.addEventListener("change", retime);
    controls.follow.addEventListener("change", paint);
    // The slider's own arrows would move by a second; here they mean what they mean on the page.
    controls.at.addEventListener("keydown", (event) => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key][0]();
    });
    // The map has its own arrows, plus and minus.
    const ofPage = (run) => ({ target }) => (target.closest?.("#map") ? false : void run());
    shortcuts(Object.fromEntries(Object.entries(keys).map(
      ([key, [run, label]]) => [key, { run: ofPage(run), label: page.dataset[label] }],
    )));
  }

  function makeJumps() {
    for (const row of document.querySelectorAll("#timeline tr[data-from]")) {
      const time = row.querySelector(".jump");
      const at = Number(row.dataset.from) - data.started_s;
      if (at > data.ended_s) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "jump";
      button.textContent = time.textContent;
      button.addEventListener("click", () => seek(at));
      time.replaceWith(button);
    }
  }

  controls.at.max = data.ended_s;
  byId("first").textContent = clockText(data, 0);
  byId("last").textContent = clockText(data, data.ended_s);
  drawStrip(data);
  makeJumps();
  listen();
  for (const part of [byId("now"), byId("controls"), ...document.querySelectorAll(".scripted")]) part.hidden = false;
  seek(0);
}

load().then((data) => (data.fixes.t.length ? player(data) : fail()), fail);
