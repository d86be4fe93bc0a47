/* The time of a replay, and where the marker is at a moment. Pure: no page, no map, no network.
   Moments are seconds after the first position, as the server sends them (replay_data.py). */

/** The index of the last value that is at most `wanted`; -1 when all are more. */
function lastAtMost(values, wanted) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The values of which the server sent the first one and each difference to the one before. */
export function summed(steps) {
  let sum = 0;
  return steps.map((step) => (sum += step));
}

/** Maps moments to seconds on the screen and back.

    `factor` is how much faster than real time; what is idle takes at most `idleShownS` on the
    screen: time that nobody was tracked always, standing and gaps while `isCompressed`. */
export class ReplayClock {
  constructor(parts, { factor, idleShownS, isCompressed }) {
    this.parts = parts;
    this.factor = factor;
    this.idleShownS = idleShownS;
    this.isCompressed = isCompressed;
    this.froms = parts.map(({ from }) => from);
    this.begins = [];
    this.lengthS = 0;
    for (const part of parts) {
      this.begins.push(this.lengthS);
      this.lengthS += this.shownS(part);
    }
  }

  /** How long a part takes on the screen. */
  shownS(part) {
    const shownS = (part.to - part.from) / this.factor;
    return this.isIdle(part) ? Math.min(shownS, this.idleShownS) : shownS;
  }

  isIdle({ kind }) {
    return kind === "off" || (this.isCompressed && kind !== "move");
  }

  /** Whether a part is shown in less time than its factor says. */
  isShortened(part) {
    return this.shownS(part) < (part.to - part.from) / this.factor;
  }

  partAt(t) {
    return this.parts[Math.max(0, lastAtMost(this.froms, t))];
  }

  /** Seconds on the screen from the start of the replay to a moment. */
  screenAt(t) {
    const n = Math.max(0, lastAtMost(this.froms, t));
    const part = this.parts[n];
    if (!part) return 0;
    const share = Math.min(1, Math.max(0, (t - part.from) / (part.to - part.from)));
    return this.begins[n] + share * this.shownS(part);
  }

  /** The moment that is shown so many seconds after the start of the replay. */
  timeAt(screenS) {
    if (!this.parts.length) return 0;
    if (screenS >= this.lengthS) return this.parts.at(-1).to;
    const n = Math.max(0, lastAtMost(this.begins, screenS));
    const part = this.parts[n];
    const shownS = this.shownS(part);
    const share = shownS > 0 ? Math.max(0, (screenS - this.begins[n]) / shownS) : 0;
    return part.from + Math.min(1, share) * (part.to - part.from);
  }
}

/** The positions and what lies between each two of them. */
export class Track {
  constructor({ fixes, legs, kinds }) {
    this.t = summed(fixes.t);
    this.latitude = summed(fixes.latitude).map((value) => value / 1e5);
    this.longitude = summed(fixes.longitude).map((value) => value / 1e5);
    this.kinds = legs.flatMap(([kind, count]) => Array(count).fill(kinds[kind]));
  }

  point(n) {
    return [this.latitude[n], this.longitude[n]];
  }

  /** Where it is known to have gone from one position to the next. */
  isDriven(n) {
    return this.kinds[n] === "move" || this.kinds[n] === "standing";
  }

  indexAt(t) {
    return Math.max(0, lastAtMost(this.t, t));
  }

  /** The marker's place at a moment: on a driven leg in between, else where it was last seen. */
  at(t) {
    const n = this.indexAt(t);
    const span = this.t[n + 1] - this.t[n];
    if (!this.isDriven(n) || !(span > 0)) return { n, share: 0, place: this.point(n), isHeld: !this.isDriven(n) };
    const share = Math.min(1, Math.max(0, (t - this.t[n]) / span));
    const [from, to] = [this.point(n), this.point(n + 1)];
    return { n, share, place: from.map((value, axis) => value + share * (to[axis] - value)), isHeld: false };
  }

  /** Degrees from north in which a leg points; null where it points nowhere. */
  headingDeg(n) {
    if (n + 1 >= this.t.length) return null;
    const east = (this.longitude[n + 1] - this.longitude[n]) * Math.cos(this.latitude[n] * Math.PI / 180);
    const north = this.latitude[n + 1] - this.latitude[n];
    return Math.hypot(east, north) < 2e-4 ? null : Math.atan2(east, north) * 180 / Math.PI;
  }

  /** The moment of the next position, or of the one before; the ends stay the ends. */
  next(t) {
    return this.t[Math.min(this.t.length - 1, lastAtMost(this.t, Math.floor(t)) + 1)];
  }

  previous(t) {
    return this.t[Math.max(0, lastAtMost(this.t, Math.ceil(t) - 1))];
  }

  /** The moment at which the line came nearest to a place of the screen.

      `project` turns a position into x and y. Of several times at one place the one nearest
      to `now` is meant. */
  nearest(project, { x, y }, now) {
    const within = 6;
    const xy = this.t.map((_, n) => project(this.point(n)));
    let found = [];
    let best = Infinity;
    for (let n = 0; n + 1 < xy.length; n += 1) {
      if (!this.isDriven(n)) continue;
      const { away, share } = fromLeg(xy[n], xy[n + 1], x, y);
      if (away > best + within) continue;
      best = Math.min(best, away);
      found.push({ away, t: this.t[n] + share * (this.t[n + 1] - this.t[n]) });
    }
    found = found.filter(({ away }) => away <= best + within);
    found.sort((a, b) => Math.abs(a.t - now) - Math.abs(b.t - now));
    const nearestNow = found[0];
    if (!nearestNow) return now;
    // Of neighbours on one stretch the one under the finger.
    return found.filter(({ t }) => Math.abs(t - nearestNow.t) < 300).reduce((a, b) => (b.away < a.away ? b : a)).t;
  }
}

function fromLeg(from, to, x, y) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const squared = dx * dx + dy * dy;
  const share = squared ? Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / squared)) : 0;
  return { share, away: Math.hypot(from.x + share * dx - x, from.y + share * dy - y) };
}

/** The last of some rows that begin with a moment, at a moment; undefined before the first. */
export function lastOf(rows, t) {
  return rows[lastAtMost(rows.map(([from]) => from), t)];
}

const two = (value) => String(value).padStart(2, "0");

/** The time on the clocks of the page's zone, whatever the zone of this browser is. */
export function clockText({ started_s, clocks, days, says_offset }, t, hasSeconds = false) {
  const [, ahead, name] = lastOf(clocks, Math.floor(t)) ?? clocks[0];
  const local = new Date((started_s + Math.floor(t) + ahead) * 1000);
  const parts = [local.getUTCHours(), local.getUTCMinutes(), ...(hasSeconds ? [local.getUTCSeconds()] : [])];
  const day = lastOf(days, Math.floor(t))?.[1];
  return [day, parts.map(two).join(":"), says_offset ? name : ""].filter(Boolean).join(" ");
}
