'use strict';
/* What is shown: a run, a moment of it, and a chosen row. saved.js and live.js bring the run.

   moment     1.5 is half-way between the second frame and the third
   chosen     the row that is shown; kept: the one that is shown again when a mouse goes away
   flash      [100] 0..1: how fresh the last gradient of each row is
   gradient   [100 * dim] of the last single step, where it is known; before: the table before that step
   earlier    runs before this one, for their curves
   turning    for so many frames more, the plane of the map turns towards the principal one
   eased      the view of the map follows slowly, in a run that one watches */
const shown = {
  run: null,
  moment: 0,
  chosen: idOf('a'),
  kept: idOf('a'),
  flash: new Float32Array(CHARACTERS),
  gradient: null,
  before: null,
  earlier: [],
  turning: 0,
  playing: false,
  eased: false,
  live: false,
};
const listeners = []; /* called after a moment or a row has been chosen */

/* ---- drawing, once a frame at most ---- */

let wanted = 0,
  changed = true,
  lastText = 0;

function redraw() {
  if (!wanted) wanted = requestAnimationFrame(draw);
}

function inSight(id) {
  const box = $(id).getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
}

function draw(time) {
  wanted = 0;
  const {run, chosen, flash} = shown;
  if (!run || !run.frames.length) return;
  const table = tableAt(run, shown.moment);
  if (shown.live && (shown.playing || shown.turning > 0)) {
    for (let turn = 0; turn < 3; turn++) map.axes = turnAxes(run, run.frames[lastMoment(run)].table, map.axes);
    shown.turning--;
  }
  const calm = !shown.playing || time - lastText > 200; /* what is read, not watched, changes five times a second */
  if (calm || inSight('map')) drawMap(run, shown.moment, table, chosen, flash, shown.eased);
  if (calm || inSight('heat')) drawHeat(run, table, chosen, flash);
  if (calm && changed) {
    drawCurve(run, shown.earlier);
    showLosses();
    changed = false;
  }
  drawNow(stepAt(run, shown.moment));
  $('slider').value = shown.moment;
  setText($('moment'), `batch ${number(stepAt(run, shown.moment))}`);
  if (calm) {
    moveMarks();
    lastText = time;
    showRow(table);
  }
  if (!shown.before) fade(flash);
  if ((!shown.before && flash.some((fresh) => fresh > 0.02)) || shown.turning > 0) redraw();
}

/* Rings fade; those of a single step stay until the next. */
function fade(flash) {
  const share = wantsStill() ? 0 : 0.9;
  for (let id = 0; id < CHARACTERS; id++) flash[id] *= share;
}

function showRow(table) {
  const {run, chosen} = shown,
    {dim} = run,
    row = table.slice(chosen * dim, (chosen + 1) * dim);
  const near = nearest(run, directions(run, table), chosen, 5);
  const moved = shown.run.moved(chosen),
    count = run.count[chosen];
  const said = moved === undefined ? '' : `, moved ${moved.toPrecision(3)} in all`;
  const nearestThree = near
    .slice(0, 3)
    .map((n) => `${nameOf(n.id)} (${n.cosine.toFixed(2)})`)
    .join(', ');
  setText(
    $('what'),
    `${nameOf(chosen)}: row ${chosen}, seen ${number(count)} times${said}. ` +
      (!run.ghosts.includes(chosen)
        ? `Nearest now: ${nearestThree}`
        : 'The text lacks it, so no gradient ever comes: its row stays where it was.'),
  );
  const atEnd = shown.moment >= lastMoment(run) - 1e-6;
  const own = (values) => values && Array.from(values.subarray(chosen * dim, (chosen + 1) * dim));
  const lanes = [{values: Array.from(row), before: atEnd ? own(shown.before) : null, kind: 'k' + kindOf(chosen)}];
  if (shown.gradient && atEnd) lanes.push({values: own(shown.gradient), kind: 'gradient'});
  drawBars($('bars'), lanes, lanes.length * 64);
  showLegend(lanes);
  showNear(near);
  showNumbers(row, lanes[1]);
}

function showLegend(lanes) {
  const parts = ['its numbers'];
  if (lanes[0].before) parts.push('outline: before the step');
  if (lanes[1])
    parts.push(
      lanes[1].values.some((x) => x) ? 'below: the gradient that came to it' : 'below: no gradient came to it',
    );
  setText($('bars-legend'), parts.join('; '));
}

function showNear(near) {
  const key = near.map((n) => n.id).join();
  if ($('near').dataset.key !== key) {
    $('near').dataset.key = key;
    $('near').replaceChildren();
    near.forEach((n) => {
      const button = make('button', {type: 'button', class: 'k' + kindOf(n.id)}, make('li', {}, $('near')));
      make('b', {}, button, nameOf(n.id));
      make('span', {}, button);
      button.addEventListener('click', () => choose(n.id));
    });
  }
  near.forEach((n, i) => setText($('near').children[i].querySelector('span'), n.cosine.toFixed(2)));
}

/* The row as a table, for who cannot see bars; made only when it is open. */
function showNumbers(row, gradient) {
  const table = $('numbers');
  if (!table.closest('details').open) return;
  table.replaceChildren();
  const line = (name, values) => {
    const tr = make('tr', {}, table);
    make('th', {scope: 'row'}, tr, name);
    Array.from(values).forEach((x) => make('td', {}, tr, x.toPrecision(3)));
  };
  line(
    'dimension',
    Array.from(row, (_, d) => d),
  );
  line(nameOf(shown.chosen), row);
  if (gradient) line('gradient', gradient.values);
}

/* ---- choosing a moment and a row ---- */

function show(moment) {
  shown.moment = clamp(moment, 0, lastMoment(shown.run));
  listeners.forEach((listener) => listener());
  redraw();
}

function choose(id, passing) {
  shown.chosen = id;
  if (!passing) shown.kept = id;
  map.marks.forEach((mark) => {
    mark.drawn.setAttribute('aria-checked', mark.id === id);
    mark.drawn.setAttribute('tabindex', mark.id === id ? 0 : -1);
  });
  listeners.forEach((listener) => listener());
  redraw();
}

/* Arrow keys go from mark to mark; a character that is typed is found. */
function chooseByKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const steps = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1};
  const order = [...shown.run.seen, ...shown.run.ghosts],
    at = order.indexOf(shown.chosen);
  const typed = {' ': 'space', Enter: '\\n'}[event.key] || event.key;
  let to = typed.length === 1 || typed === 'space' || typed === '\\n' ? idOf(typed) : -1;
  if (event.key in steps) to = order[(at + steps[event.key] + order.length) % order.length];
  if (event.key === 'Home') to = order[0];
  if (event.key === 'End') to = order[order.length - 1];
  if (!(to >= 0 && to < CHARACTERS)) return;
  event.preventDefault();
  choose(to);
  if (event.currentTarget.id === 'map') map.marks.find((mark) => mark.id === to).drawn.focus();
}

/* A click keeps a row; a mouse that only points at another looks at it for as long as it stays there. */
function choosePointed(event) {
  const id = markAt(event.clientX, event.clientY),
    pressed = event.type === 'pointerdown';
  if (pressed && id !== null) shown.kept = id;
  const to = id === null || (!pressed && event.pointerType !== 'mouse') ? shown.kept : id;
  if (to !== shown.chosen) choose(to, true);
}

function chooseColumn(event) {
  const corner = $('heat').getBoundingClientRect(),
    id = heat.at(event.clientX - corner.left, event.clientY - corner.top);
  if (id !== undefined && id !== null) choose(id);
}

/* ---- the moments again, one after the other ---- */

let player = 0;

function stopReplay() {
  cancelAnimationFrame(player);
  player = 0;
  $('play').textContent = 'Play';
  redraw();
}

/* From the moment shown, or from the start, in at most six seconds; in single moments where little motion is wanted. */
function replay() {
  const last = lastMoment(shown.run),
    from = shown.moment >= last ? 0 : shown.moment,
    still = wantsStill();
  const each = still ? 600 : Math.min(150, 6000 / last);
  let start = 0;
  const tick = (time) => {
    start = start || time;
    const to = from + (time - start) / each;
    show(still ? Math.floor(to) : to);
    if (shown.moment >= last) stopReplay();
    else player = requestAnimationFrame(tick);
  };
  $('play').textContent = 'Pause';
  player = requestAnimationFrame(tick);
}

/* ---- what a run shows as a whole ---- */

function showLegends() {
  const {run} = shown;
  $('kinds').replaceChildren();
  kinds.forEach((kind, k) => {
    if (!run.seen.some((id) => kindOf(id) === k)) return;
    const item = make('span', {class: `k${k}`}, $('kinds'));
    make('i', {}, item);
    item.append(kind);
  });
  if (run.ghosts.length) {
    const item = make('span', {class: 'ghost'}, $('kinds'));
    make('i', {}, item);
    item.append('dashed: not in the text');
  }
  $('table-note').textContent =
    `One column for each of the 100 characters, one line for each of its ${run.dim} numbers.` +
    (run.ghosts.length
      ? ` The last ${run.ghosts.length} columns are the control group: the text lacks these characters, so their rows ` +
        'keep what they began with.'
      : '');
  $('heat').setAttribute(
    'aria-label',
    `The table as a heat map: 100 rows by ${run.dim} numbers. Arrow keys or a typed character choose a row; ` +
      'its numbers stand below.',
  );
}

function showPlane() {
  const {run} = shown,
    spread = spreadOf(run, run.frames[lastMoment(run)].table);
  const share = map.axes.map((axis) => Math.round(100 * shareAlong(axis, spread)));
  setText(
    $('plane'),
    `The plane on which the rows (dim ${run.dim}) differ most: ${share[0]} % of their variance across, ` +
      `${share[1]} % along. Behind the marks: the paths that the rows took. Between them: lines that join rows that ` +
      'point the same way. The map zooms out as the rows move apart; the bar is its scale. Marks that would cover each ' +
      'other are moved apart a little.',
  );
}

function showMoves() {
  const {run} = shown,
    list = $('moved');
  const moves = run.seen
    .map((id) => ({id, moved: run.moved(id)}))
    .filter((m) => m.moved > 0)
    .sort((a, b) => b.moved - a.moved);
  list.replaceChildren();
  moves.forEach(({id, moved}) => {
    const item = make('li', {class: `k${kindOf(id)}`}, list);
    make('b', {}, item, nameOf(id));
    const bar = make('svg', {viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': true}, item);
    make('rect', {width: (100 * moved) / moves[0].moved, height: 10}, bar);
    make('span', {}, item, `${moved.toPrecision(3)}, seen ${number(run.count[id])}`);
  });
}

function showLosses() {
  const {run} = shown,
    lastOf = (key) => {
      const known = run.log.filter((row) => Number.isFinite(row[key]));
      return known.length ? known[known.length - 1][key] : null;
    };
  $('losses').replaceChildren();
  [
    ['train', 'training'],
    ['val', 'validation'],
  ].forEach(([key, name]) => {
    const last = lastOf(key);
    if (last === null) return;
    const item = make('span', {class: key}, $('losses'));
    make('i', {}, item);
    item.append(`${name} ${last.toFixed(3)}`);
  });
  $('losses').append('nats/char; the upright line is the moment that is shown');
}

/* A new run is shown from here on; its first frame is there. */
function showRun(run) {
  shown.run = run;
  shown.gradient = shown.before = null;
  shown.flash.fill(0);
  map.axes = principalAxes(run, run.frames[lastMoment(run)].table);
  map.view = null;
  makeMarks(run);
  document.querySelectorAll('.drawn').forEach((section) => {
    section.hidden = false;
  });
  $('slider').max = lastMoment(run);
  changed = true;
  showLegends();
  showPlane();
  choose(shown.chosen);
}

/* ---- wiring ---- */

readColours();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  readColours();
  changed = true;
  redraw();
});
matchMedia('print').addEventListener('change', () => {
  readColours();
  changed = true;
  cancelAnimationFrame(wanted);
  draw(performance.now());
});
addEventListener('resize', () => {
  changed = true;
  redraw();
});
$('map').addEventListener('pointerdown', choosePointed);
$('map').addEventListener('pointermove', (event) => {
  if (event.pointerType === 'mouse') choosePointed(event);
});
$('map').addEventListener('pointerleave', () => {
  if (shown.kept !== shown.chosen) choose(shown.kept);
});
$('map').addEventListener('keydown', chooseByKey);
$('heat').addEventListener('keydown', chooseByKey);
$('heat').addEventListener('pointerdown', chooseColumn);
$('numbers').closest('details').addEventListener('toggle', redraw);
