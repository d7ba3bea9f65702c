'use strict';
/* Drawing: elements, the map, the curve, the bars of a row, the heat map of the table. */

const $ = (id) => document.getElementById(id);

/* An element, drawn: make('rect', { width: 5 }, parent). Text comes in as text only. */
function make(name, attributes, parent, text) {
  const svg = parent.namespaceURI.endsWith('svg') || name === 'svg';
  const made = svg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  if (text !== undefined) made.textContent = text;
  return parent.appendChild(made);
}

/* Only what changes is written: a page that reads itself out, or is being selected, stays quiet. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const wantsStill = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

let colours = {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of [
    'paper',
    'card',
    'ink',
    'faint',
    'line',
    'accent',
    'up',
    'down',
    'k0',
    'k1',
    'k2',
    'k3',
    'k4',
    'k5',
  ])
    colours[name] = style.getPropertyValue('--' + name).trim();
}

/* A canvas as large as it is shown, in pixels of the screen; drawing goes on in CSS pixels. */
function sizeCanvas(canvas, width, height) {
  const ratio = matchMedia('print').matches ? 3 : Math.min(3, devicePixelRatio || 1);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = height + 'px';
  }
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/* ---- the map ---- */

const RADIUS = 12,
  EDGE = 26;
const map = {width: 0, height: 0, axes: null, view: null, marks: [], places: new Map()};
const halfOf = (id) => (nameOf(id).length < 3 ? RADIUS : 4.2 * nameOf(id).length);

/* One mark for each of the 100 characters; those that the text lacks are ghosts. What is seen is painted on the canvas:
   sixty times a second that is ten times cheaper. These elements are for keys and for who does not see. */
function makeMarks(run) {
  const svg = $('map').querySelector('svg');
  svg.replaceChildren();
  map.marks = [...run.ghosts, ...run.seen].map((id) => {
    const ghost = run.ghosts.includes(id),
      name = nameOf(id);
    const drawn = make(
      'g',
      {
        class: 'mark',
        role: 'radio',
        tabindex: -1,
        'aria-checked': false,
        'aria-label': ghost
          ? `${name}: row ${id}, not in the text`
          : `${name}: row ${id}, seen ${number(run.count[id])} times`,
      },
      svg,
    );
    make('ellipse', {rx: halfOf(id), ry: RADIUS}, drawn);
    return {id, ghost, drawn};
  });
}

/* A round length, such that it is 60 to 150 pixels. */
function roundLength(scale) {
  const exact = 60 / scale,
    power = 10 ** Math.floor(Math.log10(exact));
  return power * [1, 2, 5, 10].find((m) => m * power >= exact);
}

function drawGrid(context, toX, toY, scale) {
  const {width, height, view} = map,
    unit = roundLength(scale);
  context.strokeStyle = colours.line;
  context.lineWidth = 0.7;
  context.beginPath();
  const first = (centre) => Math.ceil((centre - Math.max(width, height) / scale) / unit);
  for (let n = first(view.x); toX(n * unit) < width; n++) {
    context.moveTo(toX(n * unit), 0);
    context.lineTo(toX(n * unit), height);
  }
  for (let n = first(view.y); toY(n * unit) > 0; n++) {
    context.moveTo(0, toY(n * unit));
    context.lineTo(width, toY(n * unit));
  }
  context.stroke();
  context.strokeStyle = context.fillStyle = colours.faint;
  context.lineWidth = 1.2;
  context.beginPath();
  const y = height - 10,
    x = width - 12;
  context.moveTo(x - unit * scale, y - 4);
  context.lineTo(x - unit * scale, y);
  context.lineTo(x, y);
  context.lineTo(x, y - 4);
  context.stroke();
  context.font = '12px system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  context.fillText(`${+unit.toPrecision(2)}`, x - (unit * scale) / 2, y - 5);
}

/* The path of each character's row from the start to this moment; points nearer than 3 pixels to the last are left out. */
function drawPaths(context, run, moment, toX, toY, chosen) {
  const end = Math.floor(moment);
  for (const id of run.seen) {
    let [lastX, lastY] = [-99, -99];
    context.beginPath();
    for (let s = 0; s <= end; s++) {
      const [x, y] = [toX(run.frames[s].at[2 * id]), toY(run.frames[s].at[2 * id + 1])];
      if (Math.abs(x - lastX) + Math.abs(y - lastY) < 3) continue;
      context.lineTo(x, y);
      [lastX, lastY] = [x, y];
    }
    context.lineTo(toX(map.at[2 * id]), toY(map.at[2 * id + 1]));
    context.lineTo(...map.places.get(id));
    context.strokeStyle = colours['k' + kindOf(id)];
    context.globalAlpha = id === chosen ? 0.9 : 0.22;
    context.lineWidth = id === chosen ? 1.8 : 1.1;
    context.stroke();
  }
  context.globalAlpha = 1;
}

/* Faint lines between rows that point nearly the same way; dashed ones from the chosen row to its three nearest. */
function drawNeighbours(context, run, table, chosen) {
  const unit = directions(run, table);
  context.strokeStyle = colours.ink;
  for (const id of run.dim > 1 ? run.seen : []) {
    const from = map.places.get(id);
    nearest(run, unit, id, 2)
      .filter((near) => near.cosine > 0.5)
      .forEach((near) => {
        const to = map.places.get(near.id);
        context.globalAlpha = 0.5 * (near.cosine - 0.5);
        context.lineWidth = 1.2;
        context.beginPath();
        context.moveTo(...from);
        context.lineTo(...to);
        context.stroke();
      });
  }
  context.globalAlpha = 0.75;
  context.lineWidth = 1.3;
  context.setLineDash([3, 3]);
  nearest(run, unit, chosen, 3).forEach((near) => {
    context.beginPath();
    context.moveTo(...map.places.get(chosen));
    context.lineTo(...map.places.get(near.id));
    context.stroke();
  });
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/* A ring around each row to which a gradient has just come. */
function drawFlashes(context, flash) {
  context.strokeStyle = colours.accent;
  for (const {id} of map.marks) {
    if (!(flash[id] > 0.02)) continue;
    context.globalAlpha = flash[id];
    context.lineWidth = 2.5;
    context.beginPath();
    context.ellipse(...map.places.get(id), halfOf(id) + 4, RADIUS + 4, 0, 0, 2 * Math.PI);
    context.stroke();
  }
  context.globalAlpha = 1;
}

function drawMark(context, id, ghost, chosen) {
  const [x, y] = map.places.get(id),
    name = nameOf(id),
    long = name.length > 2;
  const colour = ghost ? colours.faint : colours['k' + kindOf(id)];
  context.beginPath();
  context.ellipse(x, y, halfOf(id), RADIUS, 0, 0, 2 * Math.PI);
  context.globalAlpha = chosen ? 1 : 0.88;
  context.fillStyle = chosen ? colour : colours.card;
  if (!ghost || chosen) context.fill();
  context.globalAlpha = 1;
  context.strokeStyle = colour;
  context.lineWidth = ghost ? 0.6 : 1.1;
  context.setLineDash(ghost ? [2, 3] : []);
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = chosen ? colours.card : colour;
  context.font = ghost ? '12px ui-monospace, monospace' : `600 ${long ? 11.5 : 15}px ui-monospace, monospace`;
  context.fillText(name, x, y + 0.5);
}

/* Draws the map at a moment. eased: the view follows slowly, for a run that goes on. */
function drawMap(run, moment, table, chosen, flash, eased) {
  const {clientWidth: width, clientHeight: height} = $('map');
  Object.assign(map, {width, height});
  if (!width) return;
  for (const frame of run.frames)
    if (frame.axes !== map.axes) Object.assign(frame, {axes: map.axes, at: project(run, frame.table, map.axes)});
  map.at = project(run, table, map.axes);
  const view = viewOf(run, map.at);
  if (eased && map.view) {
    view.x = between(map.view.x, view.x, 0.15);
    view.y = between(map.view.y, view.y, 0.15);
    view.half = view.half.map((half, a) => between(map.view.half[a], half, 0.15));
  }
  map.view = view;
  const scale = Math.min((width / 2 - EDGE) / view.half[0], (height / 2 - EDGE) / view.half[1]);
  const toX = (x) => width / 2 + scale * (x - view.x),
    toY = (y) => height / 2 - scale * (y - view.y);
  const place = (id) => [toX(map.at[2 * id]), toY(map.at[2 * id + 1])];
  const spread = pushApart(run.seen.map(place), run.seen.map(halfOf), RADIUS, width, height);
  run.ghosts.forEach((id) => map.places.set(id, place(id)));
  run.seen.forEach((id, i) => map.places.set(id, spread[i]));
  const context = sizeCanvas($('map').querySelector('canvas'), width, height);
  drawGrid(context, toX, toY, scale);
  drawPaths(context, run, moment, toX, toY, chosen);
  drawNeighbours(context, run, table, chosen);
  drawFlashes(context, flash);
  context.textBaseline = 'middle';
  map.marks.forEach(({id, ghost}) => {
    if (id !== chosen) drawMark(context, id, ghost, false);
  });
  drawMark(context, chosen, run.ghosts.includes(chosen), true);
}

/* The elements follow what is painted. */
function moveMarks() {
  $('map').querySelector('svg').setAttribute('viewBox', `0 0 ${map.width} ${map.height}`);
  map.marks.forEach(({id, drawn}) => {
    const [x, y] = map.places.get(id);
    drawn.setAttribute('transform', `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
  });
}

/* The mark nearest to a point of the screen, up to 24 pixels away: a finger need not hit it. Ghosts come last. */
function markAt(x, y) {
  const corner = $('map').getBoundingClientRect();
  let best = null,
    least = 24;
  for (const {id, ghost} of map.marks) {
    const [markX, markY] = map.places.get(id);
    const away = Math.hypot(markX - (x - corner.left), markY - (y - corner.top)) + (ghost ? 8 : 0);
    if (away < least) [best, least] = [id, away];
  }
  return best;
}

/* ---- the numbers of a row ---- */

/* Bars upward and downward from the middle of a lane. */
function barsPath(values, width, middle, half) {
  const largest = Math.max(...values.map(Math.abs), 1e-9),
    wide = width / values.length;
  const bar = (x, d) => {
    const [left, across, up] = [(d + 0.1) * wide, wide * 0.8, (half * x) / largest].map((n) => n.toFixed(2));
    return `M${left} ${middle}h${across}v${-up}h${-across}z`;
  };
  return Array.from(values, bar).join('');
}

/* lanes: [{name, values, kind}], one above the other, each on its own scale; an outline shows values before. */
function drawBars(svg, lanes, height) {
  const width = Math.max(200, svg.clientWidth || 320),
    lane = height / lanes.length;
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.style.height = height + 'px';
  svg.replaceChildren();
  lanes.forEach(({values, before, kind}, l) => {
    const middle = lane * (l + 0.5),
      half = lane / 2 - 4;
    make('line', {x2: width, y1: middle, y2: middle}, svg);
    const largest = Math.max(...values.map(Math.abs), ...(before || []).map(Math.abs), 1e-9);
    const size = (x) => (half * Math.max(...x.map(Math.abs))) / largest;
    make('path', {class: kind, d: barsPath(values, width, middle, size(values))}, svg);
    if (before) make('path', {class: 'before', d: barsPath(before, width, middle, size(before))}, svg);
  });
}

/* ---- the loss ---- */

const curve = {x: () => 0, key: ''};

/* Labels that would cover one another move down a line. */
function spreadLabels(labels, gap) {
  labels.sort((a, b) => a.y - b.y);
  labels.forEach((label, i) => {
    if (i) label.y = Math.max(label.y, labels[i - 1].y + gap);
  });
  return labels;
}

/* The losses of a run, and faintly those of runs before it, between the baselines. */
function drawCurve(run, earlier) {
  const svg = $('curve'),
    width = Math.max(240, svg.clientWidth || 320),
    height = 240;
  const LEFT = 26,
    TOP = 10,
    BOTTOM = height - 24;
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.style.height = height + 'px';
  svg.replaceChildren();
  const losses = [...earlier, run]
    .flatMap((one) => one.log.flatMap((row) => [row.train, row.val]))
    .concat(run.baselines.map((b) => b.loss))
    .filter(Number.isFinite);
  const high = clamp(Math.max(Math.log(100) + 0.1, ...losses), 0, 4 * Math.log(100)),
    low = Math.floor(Math.min(...losses, 4));
  const y = (loss) => TOP + (BOTTOM - TOP) * clamp((high - loss) / (high - low), 0, 1);
  const x = (curve.x = (step) => LEFT + (width - LEFT - 2) * clamp(step / Math.max(1, run.steps), 0, 1));
  const grain = [0.5, 1, 2, 5, 10, 20].find((g) => (high - low) / g <= 6) || (high - low) / 5;
  for (let loss = low; loss <= high; loss += grain) {
    make('path', {class: 'grid', d: `M${LEFT} ${y(loss)}H${width}`}, svg);
    make('text', {class: 'axis', x: LEFT - 6, y: y(loss), dy: '.35em'}, svg, +loss.toFixed(1));
  }
  make('text', {class: 'axis', x: width, y: height - 5}, svg, `batch ${number(run.steps)}`);
  make('text', {class: 'axis', x: LEFT + 8, y: height - 5}, svg, '0');
  for (const {loss} of run.baselines) make('path', {class: 'baseline', d: `M${LEFT} ${y(loss)}H${width}`}, svg);
  const points = (log, key, scale) =>
    log
      .filter((row) => Number.isFinite(row[key]))
      .map((row) => `${scale(row.step).toFixed(1)} ${y(row[key]).toFixed(1)}`)
      .join(' ');
  for (const one of earlier)
    make(
      'polyline',
      {class: 'curve earlier', points: points(one.log, 'val', (step) => x((step / one.steps) * run.steps))},
      svg,
    );
  make('polyline', {class: 'curve train', points: points(run.log, 'train', x)}, svg);
  make('polyline', {class: 'curve val', points: points(run.log, 'val', x)}, svg);
  const labels = run.baselines.map((b, i) => ({
    name: `${b.name} ${b.loss.toFixed(3)}`,
    y: y(b.loss) + (i < 2 ? -5 : 13),
  }));
  for (const {name, y: at} of spreadLabels(labels, 13))
    make('text', {class: 'axis', x: width - 2, y: Math.max(12, at)}, svg, name);
  make('line', {id: 'now', y1: TOP, y2: BOTTOM}, svg);
}

/* The upright line of the moment that is shown. */
function drawNow(step) {
  if ($('now')) $('now').setAttribute('transform', `translate(${curve.x(step).toFixed(1)} 0)`);
}

/* ---- the table as a heat map ---- */

const heat = {columns: [], wide: 0, band: 0, high: 0, cell: 0, bands: 1, at: () => null};

/* A character as one sign. */
const glyphOf = (id) => (id < 94 ? printable[id] : ['␣', '⇥', '↵', '\\r', '\\v', '\\f'][id - 94]);

function mix(colour, share) {
  return `color-mix(in srgb, ${colour} ${Math.round(100 * share)}%, ${colours.paper})`;
}

/* 41 colours from down over paper to up, as numbers. */
function heatColours() {
  const canvas = document.createElement('canvas');
  canvas.width = 41;
  canvas.height = 1;
  const context = canvas.getContext('2d', {willReadFrequently: true});
  for (let i = 0; i < 41; i++) {
    context.fillStyle = mix(i < 20 ? colours.down : colours.up, Math.abs(i - 20) / 20);
    context.fillRect(i, 0, 1, 1);
  }
  return context.getImageData(0, 0, 41, 1).data;
}

/* The columns stand in as many bands as it takes to see them; in each band one line for each of the dim numbers. */
function drawHeat(run, table, chosen, flash) {
  const canvas = $('heat'),
    width = canvas.parentElement.clientWidth,
    {dim} = run;
  if (!width) return;
  const ids = [...run.seen].sort((a, b) => kindOf(a) - kindOf(b) || a - b).concat(run.ghosts);
  const perBand = Math.floor(width / 11.5),
    bands = Math.ceil(ids.length / perBand);
  const perLine = Math.ceil(ids.length / bands),
    wide = width / perLine,
    cell = clamp(Math.round(240 / dim / bands), 2, 14),
    band = 22 + cell * dim + 8;
  const context = sizeCanvas(canvas, width, bands * band);
  if (heat.theme !== colours.paper + colours.up)
    Object.assign(heat, {theme: colours.paper + colours.up, palette: heatColours()});
  let largest = 1e-9;
  for (let i = 0; i < table.length; i++) largest = Math.max(largest, Math.abs(table[i]));
  const small = heat.small || (heat.small = document.createElement('canvas'));
  if (small.width !== perLine || small.height !== dim) {
    small.width = perLine;
    small.height = dim;
  }
  const brush = small.getContext('2d', {willReadFrequently: true}),
    image = brush.createImageData(perLine, dim);
  context.imageSmoothingEnabled = false;
  context.font = '600 11px ui-monospace, monospace';
  context.textAlign = 'center';
  for (let b = 0; b < bands; b++) {
    image.data.fill(0);
    const line = ids.slice(b * perLine, (b + 1) * perLine),
      top = b * band + 18;
    line.forEach((id, i) => {
      for (let d = 0; d < dim; d++) {
        const shade = 20 + Math.round(20 * Math.cbrt(table[id * dim + d] / largest)),
          to = 4 * (d * perLine + i);
        for (let c = 0; c < 4; c++) image.data[to + c] = heat.palette[4 * shade + c];
      }
    });
    brush.putImageData(image, 0, 0);
    context.drawImage(small, 0, 0, perLine, dim, 0, top, perLine * wide, dim * cell);
    line.forEach((id, i) => {
      const ghost = run.ghosts.includes(id);
      context.fillStyle = ghost ? colours.faint : colours['k' + kindOf(id)];
      context.fillText(glyphOf(id), (i + 0.5) * wide, top - 6, wide);
      if (flash[id] > 0.02) {
        context.fillStyle = colours.accent;
        context.globalAlpha = flash[id];
        context.fillRect(i * wide + 0.5, top - 3, wide - 1, 3);
        context.fillRect(i * wide + 0.5, top + dim * cell, wide - 1, 3);
        context.globalAlpha = 1;
      }
      if (id !== chosen) return;
      context.strokeStyle = colours.ink;
      context.lineWidth = 2;
      context.strokeRect(i * wide, top - 1, wide, dim * cell + 2);
    });
  }
  Object.assign(heat, {
    ids,
    at: (x, y) => ids[Math.floor(y / band) * perLine + clamp(Math.floor(x / wide), 0, perLine - 1)],
  });
}
