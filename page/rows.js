'use strict';
/* The characters, the moments of a run, and the plane on which their rows are seen. Nothing here draws. */

const CHARACTERS = 100;
const printable = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';
const invisible = ['space', '\\t', '\\n', '\\r', '\\x0b', '\\x0c'];
const kinds = ['vowel', 'consonant', 'capital', 'digit', 'punctuation', 'whitespace'];
const nameOf = (id) => (id < 94 ? printable[id] : invisible[id - 94]);
const idOf = (name) => (name.length === 1 ? printable.indexOf(name) : 94 + invisible.indexOf(name));

function kindOf(id) {
  if (id < 10) return 3;
  if (id < 36) return 'aeiou'.includes(printable[id]) ? 0 : 1;
  if (id < 62) return 2;
  return id < 94 ? 4 : 5;
}

const number = (n) => Math.round(n).toLocaleString('en');
const between = (a, b, share) => a * (1 - share) + b * share;
const clamp = (x, low, high) => Math.max(low, Math.min(high, x));

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

const norm = (a) => Math.sqrt(dot(a, a));

function distance(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}

/* ---- a run: what is known of it, whether it is saved or goes on ---- */

/* seen: ids of the characters of the text. frames: {step, table [100 * dim]} from the start on. log: {step, train,
   val or null}. baselines: {name, loss}. moved(id): the distance from the start, undefined where it is not known. */
function newRun(dim, count, steps) {
  const ids = Array.from({length: CHARACTERS}, (_, id) => id);
  return {
    dim,
    count,
    steps,
    frames: [],
    log: [],
    baselines: [],
    seen: ids.filter((id) => count[id] > 0),
    ghosts: ids.filter((id) => !(count[id] > 0)),
    moved(id) {
      return distance(rowAt(this, id, 0), rowAt(this, id, this.frames.length - 1));
    },
  };
}

const MOST_FRAMES = 160;

/* Adds a moment. When there are too many, every second goes; the first and the last stay. */
function addFrame(run, step, table) {
  const last = run.frames.length - 1;
  if (last >= 0 && run.frames[last].step === step) run.frames.pop();
  if (run.frames.length >= MOST_FRAMES) run.frames = run.frames.filter((_, i) => i % 2 === 0);
  run.frames.push({step, table: Float32Array.from(table)});
}

const lastMoment = (run) => Math.max(0, run.frames.length - 1);

/* The two frames around a moment (1.5 is half-way between the second frame and the third), and where between them. */
function around(run, moment) {
  const s = clamp(Math.floor(moment), 0, lastMoment(run));
  const next = Math.min(s + 1, lastMoment(run));
  return {a: run.frames[s], b: run.frames[next], share: next > s ? moment - s : 0};
}

function tableAt(run, moment) {
  const {a, b, share} = around(run, moment);
  return share === 0 ? a.table : a.table.map((x, i) => between(x, b.table[i], share));
}

function rowAt(run, id, moment) {
  const {a, b, share} = around(run, moment);
  const row = a.table.slice(id * run.dim, (id + 1) * run.dim);
  return share === 0 ? row : row.map((x, d) => between(x, b.table[id * run.dim + d], share));
}

function stepAt(run, moment) {
  const {a, b, share} = around(run, moment);
  return between(a.step, b.step, share);
}

/* The moment of a step: frames need not be evenly apart. */
function momentOf(run, step) {
  const next = run.frames.findIndex((frame) => frame.step >= step);
  if (next <= 0) return next < 0 ? lastMoment(run) : 0;
  const a = run.frames[next - 1].step;
  return next - 1 + (step - a) / (run.frames[next].step - a);
}

/* All rows of a table with length 1; rows of zeros stay. */
function directions(run, table) {
  const {dim} = run,
    unit = new Float32Array(table);
  for (let id = 0; id < CHARACTERS; id++) {
    const length = norm(table.subarray(id * dim, (id + 1) * dim)) || 1;
    for (let d = 0; d < dim; d++) unit[id * dim + d] /= length;
  }
  return unit;
}

/* The rows that point most nearly the same way as row id, among the characters of the text: [{id, cosine}]. */
function nearest(run, unit, id, most) {
  const {dim} = run,
    near = [];
  for (const other of run.seen) {
    if (other === id) continue;
    let cosine = 0;
    for (let d = 0; d < dim; d++) cosine += unit[id * dim + d] * unit[other * dim + d];
    if (near.length === most && cosine <= near[most - 1].cosine) continue;
    near.push({id: other, cosine});
    near.sort((a, b) => b.cosine - a.cosine);
    near.length = Math.min(near.length, most);
  }
  return near;
}

/* ---- the plane on which the rows differ most: principal components ---- */

/* The characters' rows at a moment without their mean, and the sum of their squares. */
function spreadOf(run, table) {
  const {dim, seen} = run,
    mean = new Float64Array(dim);
  for (const id of seen) for (let d = 0; d < dim; d++) mean[d] += table[id * dim + d] / seen.length;
  const rows = seen.map((id) => mean.map((x, d) => table[id * dim + d] - x));
  return {rows, variance: rows.reduce((sum, row) => sum + dot(row, row), 0)};
}

/* The covariance of the rows, times their number, times a vector. */
function spreadTimes({rows}, vector) {
  const product = new Float64Array(vector.length);
  for (const row of rows) {
    const along = dot(row, vector);
    for (let d = 0; d < product.length; d++) product[d] += along * row[d];
  }
  return product;
}

const scaled = (vector, factor) => vector.map((x) => x * factor);

function without(vector, axis) {
  const along = dot(vector, axis);
  return vector.map((x, d) => x - along * axis[d]);
}

/* How much of the variance lies along an axis. */
const shareAlong = (axis, spread) => (spread.variance > 0 ? dot(axis, spreadTimes(spread, axis)) / spread.variance : 0);

/* The two principal axes of the rows at a moment, by power iteration, as lib/projection.c finds them. Rows that
   differ in one direction only (dim 1) leave a second axis of zeros. */
function principalAxes(run, table) {
  const spread = spreadOf(run, table),
    axes = [];
  for (let a = 0; a < 2; a++) {
    let axis = Float64Array.from({length: run.dim}, (_, d) => 1 + ((d * 7919) % 101) / 101),
      value = 0;
    for (let round = 0; round < 200; round++) {
      const next = a ? without(spreadTimes(spread, axis), axes[0]) : spreadTimes(spread, axis);
      value = norm(next);
      if (!value) break;
      axis = scaled(next, 1 / value);
    }
    if (!(value > 1e-9 * spread.variance)) axis = new Float64Array(run.dim);
    const farthest = spread.rows
      .map((row) => dot(row, axis))
      .reduce((most, at) => (Math.abs(at) > Math.abs(most) ? at : most), 0);
    axes.push(farthest < 0 ? scaled(axis, -1) : axis);
  }
  return axes;
}

/* The plane turns a little towards the principal one of this moment. The new axes are those of all bases of the
   plane that are nearest to the old ones (the polar factor), so that the map does not spin while it moves. */
function turnAxes(run, table, axes) {
  if (run.dim < 3 || !norm(axes[1])) return principalAxes(run, table);
  const spread = spreadOf(run, table),
    unit = spread.variance / run.dim || 1;
  const [u, v] = axes.map((axis) => spreadTimes(spread, axis).map((x, d) => x / unit + axis[d]));
  /* [u v] times the inverse square root of their products [[p, q], [q, r]] */
  const p = dot(u, u),
    q = dot(u, v),
    r = dot(v, v),
    root = Math.sqrt(Math.max(p * r - q * q, 1e-30));
  const size = root * Math.sqrt(p + r + 2 * root),
    a = (r + root) / size,
    b = -q / size,
    c = (p + root) / size;
  return [u.map((x, d) => a * x + b * v[d]), u.map((x, d) => b * x + c * v[d])];
}

/* Where all rows are on the plane: [x, y, x, y, ...] in units of the table. */
function project(run, table, axes) {
  const at = new Float64Array(2 * CHARACTERS),
    {dim} = run;
  for (let id = 0; id < CHARACTERS; id++)
    for (let a = 0; a < 2; a++) {
      let sum = 0;
      for (let d = 0; d < dim; d++) sum += table[id * dim + d] * axes[a][d];
      at[2 * id + a] = sum;
    }
  return at;
}

/* What the map shows of the plane: the middle of the characters' places, and how far the farthest is from it. */
function viewOf(run, at) {
  const low = [Infinity, Infinity],
    high = [-Infinity, -Infinity];
  for (const id of run.seen)
    for (let a = 0; a < 2; a++) {
      low[a] = Math.min(low[a], at[2 * id + a]);
      high[a] = Math.max(high[a], at[2 * id + a]);
    }
  const half = [0, 1].map((a) => Math.max((high[a] - low[a]) / 2, 1e-6));
  return {x: (low[0] + high[0]) / 2, y: (low[1] + high[1]) / 2, half};
}

/* Moves marks apart so that none covers another: at [[x, y]], half their widths, all `radius` high. The same marks
   are always moved in the same way. */
function pushApart(at, half, radius, width, height) {
  at.forEach((point, i) => {
    point[0] += 0.01 * ((i * 3) % 11) - 0.05;
    point[1] += 0.01 * ((i * 7) % 11) - 0.05;
  });
  for (let round = 0; round < 60; round++)
    for (let i = 0; i < at.length; i++)
      for (let j = 0; j < i; j++) {
        const wide = (half[i] + half[j]) / (2 * radius),
          y = at[i][1] - at[j][1];
        if (y > 2 * radius + 1 || y < -2 * radius - 1) continue;
        const x = (at[i][0] - at[j][0]) / wide,
          away = Math.hypot(x, y) + 1e-9;
        const push = (2 * radius + 1 - away) / 4 / away;
        if (push <= 0) continue;
        at[i][0] += x * push;
        at[i][1] += y * push;
        at[j][0] -= x * push;
        at[j][1] -= y * push;
      }
  at.forEach((point, i) => {
    point[0] = clamp(point[0], half[i] + 1, width - half[i] - 1);
    point[1] = clamp(point[1], radius + 1, height - radius - 1);
  });
  return at;
}
