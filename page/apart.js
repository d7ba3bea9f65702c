'use strict';
/* One batch, taken apart; what the model writes, and what it expects. */

/* ---- one batch, taken apart ---- */

const glyph = (character) => ({' ': '␣', '\n': '↵', '\t': '⇥'})[character] || character;

function card(parent, title, note) {
  const part = make('div', {class: 'card'}, parent);
  make('h3', {}, part, title);
  if (note) make('p', {class: 'note'}, part, note);
  return part;
}

function smallBars(parent, values, options) {
  const svg = make('svg', {class: 'small-bars', role: 'img', 'aria-label': options.label}, parent);
  drawBars(
    svg,
    [{values: Array.from(values), before: options.before && Array.from(options.before), kind: options.kind || 'k5'}],
    56,
  );
}

function showInspect(answer) {
  $('inspect').hidden = !answer;
  $('inspect-note').hidden = !!answer;
  if (!answer) return;
  const lit = Array.from(answer.occurring, (times, id) => ({id, times})).filter((c) => c.times);
  $('lit-title').textContent = `Batch ${number(answer.step)}: ${lit.length} rows are lit`;
  $('lit-note').textContent =
    `${number(answer.positions)} places of the text. These characters are looked up, so many times each; ` +
    `the other ${CHARACTERS - lit.length} rows get no gradient and stay.`;
  showLit(lit.sort((a, b) => b.times - a.times));
  live.place = Math.min(live.place, answer.positions - 1);
  showPlace(answer.inspect);
}

/* Leafs through the places of the last batch; the worker keeps the first 256. */
async function turnPlace(place) {
  const answer = live.inspect;
  if (!answer) return;
  live.place = clamp(Math.round(place) || 0, 0, Math.min(answer.positions, 256) - 1);
  const {inspect} = await ask('inspect', {position: live.place}).catch(() => ({}));
  if (!inspect || live.inspect !== answer) return;
  choose(inspect.rows.find(({row}) => row < CHARACTERS).row);
  showPlace(inspect);
}

/* One place, from the text to the row that moves. */
function showPlace(inspect) {
  const chain = $('chain'),
    last = Math.min(live.inspect.positions, 256) - 1;
  $('place').value = live.place + 1;
  $('place-of').textContent = `of ${last + 1}`;
  $('place').max = last + 1;
  $('place-back').disabled = live.place === 0;
  $('place-on').disabled = live.place >= last;
  chain.replaceChildren();
  const stage = (title, note) => card(make('li', {}, chain), title, note);
  const context = stage('1. A place of the text', 'What stands before, and what came next:');
  const line = make('p', {class: 'context'}, context),
    before = [...inspect.context].map(glyph);
  make('span', {}, line, before.slice(0, -1).join(''));
  make('b', {}, line, before[before.length - 1]);
  make('i', {}, line, glyphOf(inspect.target));
  const lookup = stage(
    inspect.rows.length > 1 ? `2. ${inspect.rows.length} rows are looked up` : '2. Its row is looked up',
    inspect.rows.length > 1
      ? 'The character and all strings that the text before ends with:'
      : 'The last character alone decides:',
  );
  inspect.rows.slice(0, 8).forEach((row) => {
    make('p', {class: 'row-name'}, lookup, `${row.name}`);
    if (!row.before.some((x) => x)) return make('p', {class: 'note'}, lookup, 'zeros: no gradient has come to it yet');
    return smallBars(lookup, row.before, {
      label: `the row ${row.name}`,
      kind: row.row < CHARACTERS ? 'k' + kindOf(row.row) : 'k5',
    });
  });
  smallBars(
    stage('3. h', inspect.rows.length > 1 ? 'The sum of these rows.' : 'Here h is the row itself.'),
    inspect.h,
    {label: 'h'},
  );
  showGuess(
    stage(
      '4. The guess',
      'p = softmax(W h + b), and what was wrong with it: p − onehot. Only the character that came has a ' +
        'negative number: more of it, less of all others.',
    ),
    inspect,
  );
  smallBars(
    stage('5. The way back', 'dh = Wᵀ(p − onehot): the gradient that arrives at the sum. Each row of the bag gets it.'),
    inspect.dh,
    {label: 'the gradient at h', kind: 'gradient'},
  );
  const after = stage(
    '6. The row moves',
    'Against the sum of the gradients of the whole batch. Outline: before; filled: after.',
  );
  inspect.rows.slice(0, 8).forEach((row) => {
    make('p', {class: 'row-name'}, after, row.name);
    smallBars(after, row.gradient, {label: `the gradient of the row ${row.name}`, kind: 'gradient'});
    smallBars(after, row.after, {
      label: `the row ${row.name} after the step`,
      before: row.before,
      kind: row.row < CHARACTERS ? 'k' + kindOf(row.row) : 'k5',
    });
  });
  if (live.values.freeze)
    make('p', {class: 'note'}, after, 'The embedding is frozen: the gradient comes, the row stays.');
}

function showLit(lit) {
  const list = $('lit');
  list.replaceChildren();
  lit.forEach(({id, times}) => {
    const button = make('button', {type: 'button', class: 'k' + kindOf(id)}, make('li', {}, list));
    make('b', {}, button, glyphOf(id));
    make('span', {}, button, times);
    button.addEventListener('click', () => choose(id));
  });
}

/* The likeliest characters and the one that came: p, and p - onehot. */
function showGuess(parent, {probabilities, error, target}) {
  const ids = Array.from(probabilities, (_, id) => id).sort((a, b) => probabilities[b] - probabilities[a]);
  const rows = ids.slice(0, 7);
  if (!rows.includes(target)) rows.push(target);
  const table = make('table', {class: 'guess'}, parent),
    head = make('tr', {}, table);
  ['next', 'p', 'p − onehot'].forEach((name) => make('th', {scope: 'col'}, head, name));
  rows.forEach((id) => {
    const line = make('tr', id === target ? {class: 'target'} : {}, table);
    make('th', {scope: 'row', class: 'k' + kindOf(id)}, line, glyphOf(id) + (id === target ? ' came' : ''));
    bar(make('td', {}, line), probabilities[id] / probabilities[ids[0]], (100 * probabilities[id]).toFixed(1) + ' %');
    bar(make('td', {}, line), error[id], error[id].toFixed(3).replace('-', '−'));
  });
}

function bar(cell, value, text) {
  const svg = make('svg', {viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': true}, cell);
  make('rect', {class: value < 0 ? 'down' : 'up', width: 100 * Math.min(1, Math.abs(value)), height: 10}, svg);
  make('span', {}, cell, text);
}

/* ---- what it writes, what it expects ---- */

async function showWords() {
  live.lastWords = performance.now();
  if (live.asking || !shown.run) return;
  live.asking = true;
  const {run} = shown,
    prompt = $('prompt').value;
  try {
    const {text} = await ask('sample', {prompt: '', n: 240, temperature: 0.7, seed: 1});
    const expected = await ask('next', {prompt});
    if (run === shown.run) {
      live.samples.push({step: run.frames[lastMoment(run)].step, text});
      showSample();
      showNext(expected);
      showPlane();
      showMoves();
      showStill();
    }
  } catch (error) {
    if (run === shown.run) say(error.message, true);
  }
  live.asking = false;
  if (prompt !== $('prompt').value) showWords();
}

/* The last sample before the moment that is shown. */
function showSample() {
  if (!live.samples.length) return;
  const step = stepAt(shown.run, shown.moment) + 1e-6;
  const past = live.samples.filter((sample) => sample.step <= step);
  setText($('sample'), (past.length ? past[past.length - 1] : live.samples[0]).text);
}

function showNext({probabilities, rows, bias}) {
  const part = $('next'),
    ids = Array.from(probabilities, (_, id) => id)
      .sort((a, b) => probabilities[b] - probabilities[a])
      .slice(0, 6);
  part.replaceChildren();
  const table = make(
    'table',
    {class: 'next'},
    make('div', {class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'What each row adds'}, part),
  );
  const head = make('tr', {}, table);
  make('th', {scope: 'col', class: 'left'}, head, 'next');
  ids.forEach((id) => make('th', {scope: 'col', class: 'k' + kindOf(id)}, head, glyphOf(id)));
  const chance = make('tr', {class: 'chance'}, table);
  make('th', {scope: 'row'}, chance, 'p');
  ids.forEach((id) =>
    bar(make('td', {}, chance), probabilities[id] / probabilities[ids[0]], (100 * probabilities[id]).toFixed(1) + ' %'),
  );
  const line = (name, adds) => {
    const tr = make('tr', {}, table);
    make('th', {scope: 'row'}, tr, name);
    ids.forEach((id) => {
      const cell = make('td', {}, tr, (adds[id] < 0 ? '−' : '+') + Math.abs(adds[id]).toFixed(2));
      const colour = adds[id] < 0 ? 'var(--down)' : 'var(--up)',
        share = Math.min(28, 9 * Math.abs(adds[id]));
      cell.style.background = `color-mix(in srgb, ${colour} ${share.toFixed(0)}%, transparent)`;
    });
  };
  rows.forEach((row) => line(row.name, row.adds));
  line('bias', bias);
  make('p', {class: 'note'}, part, 'Each row of the bag adds to the logits; softmax of their sums gives p.');
}

$('place-back').addEventListener('click', () => turnPlace(live.place - 1));
$('place-on').addEventListener('click', () => turnPlace(live.place + 1));
$('place').addEventListener('change', () => turnPlace($('place').value - 1));
