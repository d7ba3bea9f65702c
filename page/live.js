'use strict';
/* A run that goes on: the trainer in a worker, and the hand on it. page/worker.js describes the messages. */

/* ---- the worker ---- */

const calls = new Map();
let worker, nextCall = 1;

function ask(name, fields) {
  return new Promise((done, failed) => {
    const id = nextCall++;
    calls.set(id, { done, failed });
    worker.postMessage({ id, do: name, ...fields });
  });
}

function hear({ data }) {
  if (data.event === 'progress') return hearProgress(data);
  const call = calls.get(data.id);
  calls.delete(data.id);
  if (!call) return undefined;
  return data.error === undefined ? call.done(data) : call.failed(new Error(data.error));
}

/* What goes wrong is said in one place; a run that could not start leaves the last one to look at. */
function say(text, isError) {
  $('notice').textContent = text;
  $('notice').className = isError ? 'error' : 'note';
}

/* ---- settings: the form, and the part of the address after # ---- */

const form = $('settings');
const first = { text: 'fables', order: '1', dim: '10', epochs: '4', seed: '1', start: '0.1' };
const texts = { notebook: 'WTF does nn.Embedding do?', fables: null, names: null, own: null };
const perText = { notebook: { order: '1', dim: '10', epochs: '200' }, fables: { epochs: '4' }, names: { epochs: '40' }, own: { epochs: '' } };
const fields = [...form.elements].filter(field => field.name);

function readHash() {
  const given = new URLSearchParams(location.hash.slice(1));
  return given.size ? Object.fromEntries(given) : { ...first };
}

const named = value => value === 'auto' ? '' : value;

/* Fields that are not named, or named auto, are empty: then ./train chooses. */
function fillForm(values) {
  fields.forEach(field => {
    if (field.type === 'checkbox') field.checked = field.name in values && values[field.name] !== '0';
    else field.value = named(values[field.name]) || (field.tagName === 'SELECT' ? field.options[0].value : '');
  });
  if (!values.text) form.elements.text.value = 'fables';
}

function formValues() {
  return Object.fromEntries(fields.map(field => [field.name, field.type === 'checkbox' ? (field.checked ? '1' : '') : field.value]).filter(([, value]) => value !== ''));
}

function settingsOf(values) {
  const settings = {};
  for (const name of ['order', 'dim', 'epochs', 'lr', 'batch', 'seed', 'minCount', 'val']) if (values[name]) settings[name] = +values[name];
  if (values.optimizer === 'sgd') settings.optimizer = 'sgd';
  if (values.freeze) settings.freeze = true;
  if (values.start) settings.set = { 'init-std': +values.start };
  if (values.text === 'notebook') Object.assign(settings, { val: 0 });
  return settings;
}

/* The text that is chosen: a string, or the bytes of a file. */
const textOf = name => name === 'fables' || name === 'names' ? $('text-' + name).textContent.replace(/^\n/, '') : texts[name];

/* ---- a run ---- */

const live = { values: null, done: false, busy: 0, samples: [], runs: [], frozen: false };

/* Starts again from the settings of the form; the run before goes on as a faint curve when the text is the same.
   hasty: the run begins at once, so nothing is asked of the start. */
async function start(hasty) {
  const mine = ++live.busy, values = formValues(), text = textOf(values.text);
  $('own').hidden = values.text !== 'own';
  if (text === null || text === '') return say('Paste or drop a text of your own, then press “Use this text”.');
  await stop();
  keepRun();
  try {
    const made = await ask('start', { text, settings: settingsOf(values) });
    if (mine !== live.busy) return undefined;
    const run = newRun(made.settings.dim, Array.from(made.counts), made.steps);
    run.label = label(values);
    run.text = values.text;
    const { uniform, unigram, bigram, least } = made.baselines;
    run.baselines = [['knows nothing', uniform], ['frequencies', unigram], ['pairs', bigram], ['the least possible', least]]
      .filter(([, loss], i) => Number.isFinite(loss) && !(i === 3 && loss === bigram)).map(([name, loss]) => ({ name, loss }));
    if (least === bigram && run.baselines[2]) run.baselines[2].name = 'pairs: the least possible';
    addFrame(run, 0, made.table);
    Object.assign(live, { values, made, done: false, samples: [], inspect: null });
    shown.moment = 0;
    shown.earlier = live.runs.filter(one => one.run.text === values.text && one.run.log.some(row => row.val)).slice(0, 3).map(one => one.run);
    showPlaceholders(made.settings);
    showRun(run);
    showInspect(null);
    say(made.notice);
    showLink();
    enable();
    if (hasty) return undefined;
    const { valLoss } = await ask('evaluate');
    if (mine === live.busy) hearLoss(0, valLoss, valLoss);
    await showWords();
  } catch (error) {
    if (mine === live.busy) say(error.message, true);
  }
  return undefined;
}

function label(values) {
  const { text, ...rest } = values;
  return Object.entries(rest).filter(([name, value]) => !(name === 'optimizer' && value === 'adagrad')).map(([name, value]) => name === 'freeze' ? 'frozen' : `${name === 'start' ? 'random start' : name} ${value}`).join(', ');
}

function showPlaceholders(settings) {
  fields.forEach(field => { if (field.name in settings && field.type === 'number') field.placeholder = settings[field.name]; });
  $('loss-now').firstChild.textContent = settings.val > 0 ? 'held-out loss ' : 'loss, nothing held out ';
}

/* A loss, into the curve and into the element val-loss. */
function hearLoss(step, train, val) {
  const { run } = shown;
  run.log.push({ step, train, val });
  if (run.log.length > 1500) run.log = run.log.filter((row, i) => i % 2 === 0 || Number.isFinite(row.val));
  if (Number.isFinite(val)) $('val-loss').textContent = val.toFixed(6);
  changed = true;
  redraw();
}

function hearProgress(event) {
  const { run } = shown;
  if (!run || event.step < run.frames[lastMoment(run)].step) return;
  const shownStep = stepAt(run, shown.moment);
  addFrame(run, event.step, event.table);
  shown.moment = momentOf(run, shownStep); /* frames may have been thinned out */
  $('slider').max = lastMoment(run);
  const most = Math.max(...event.touched, 1e-9);
  event.touched.forEach((moved, id) => { if (moved > 0) shown.flash[id] = Math.max(shown.flash[id], 0.1 + 0.6 * moved / most); });
  shown.gradient = shown.before = null;
  if (event.loss !== null) hearLoss(event.step, event.loss, event.valLoss);
  if (live.follow && isTime()) show(lastMoment(run));
  if (performance.now() - (live.lastWords || 0) > 500) showWords();
}

/* Where little motion is wanted, the map shows a moment every second. */
function isTime() {
  const now = performance.now();
  if (wantsStill() && now - (live.lastShown || 0) < 1000) return false;
  live.lastShown = now;
  return true;
}

/* ---- play, step, again ---- */

/* The slider stops at a moment; at its end it follows a run that goes on. */
function slideTo(moment) {
  if (player) stopReplay();
  live.follow = moment >= lastMoment(shown.run) - 1e-6;
  show(moment);
}

function enable() {
  $('play').textContent = shown.playing ? 'Pause' : 'Play';
  $('step').disabled = live.done || shown.playing;
}

/* Steps a second: a run that one can watch takes about twelve seconds, whatever its length. */
function pace() {
  const speed = $('speed').value;
  if (speed === 'full') return undefined;
  return speed === 'slow' ? 4 : Math.max(4, shown.run.steps / 12);
}

/* A run that has come to its end is shown again. */
async function play(fast) {
  if (!shown.run) return;
  if (live.done) {
    replay();
    return;
  }
  const mine = live.busy, steps = fast ? undefined : pace();
  shown.playing = live.follow = true;
  $('what').setAttribute('aria-live', 'off');
  show(lastMoment(shown.run));
  enable();
  try {
    const { step, valLoss, best, done } = await ask('run', steps ? { pace: steps } : {});
    if (mine !== live.busy) return;
    if (done) finish(step, best === undefined ? valLoss : best);
  } catch (error) {
    if (mine === live.busy) say(error.message, true);
  }
  if (mine === live.busy) halted();
}

function halted() {
  shown.playing = false;
  shown.turning = 60;
  if (live.follow) show(lastMoment(shown.run));
  $('what').setAttribute('aria-live', 'polite');
  enable();
  showWords();
  redraw();
}

function finish(step, loss) {
  live.done = true;
  if (Number.isFinite(loss)) $('val-loss').textContent = loss.toFixed(6);
  keepRun();
}

async function stop() {
  if (player) stopReplay();
  if (!shown.playing) return;
  await ask('pause').catch(() => 0);
  halted();
}

async function step() {
  if (!shown.run || live.done || shown.playing) return;
  const { run } = shown, before = run.frames[lastMoment(run)].table;
  try {
    const answer = await ask('step', { position: live.position || 0 });
    addFrame(run, answer.step, answer.table);
    live.follow = true;
    $('slider').max = lastMoment(run);
    shown.before = before;
    shown.gradient = answer.gradient;
    answer.occurring.forEach((times, id) => { shown.flash[id] = times ? 1 : 0; });
    live.inspect = answer;
    if (!live.touchedRow) choose(answer.inspect.rows[0].row);
    hearLoss(answer.step, answer.loss, answer.valLoss);
    showInspect(answer);
    show(lastMoment(run));
    if (answer.step >= run.steps) finish(answer.step, answer.valLoss);
    shown.turning = 30;
    enable();
    await showWords();
  } catch (error) {
    say(error.message, true);
  }
}

function showStill() {
  const { run } = shown;
  if (run.frames.length < 2) return setText($('still'), 'No row has moved yet.');
  const still = run.ghosts.filter(id => run.moved(id) === 0).length;
  return setText($('still'), run.ghosts.length ? `${still} of the ${run.ghosts.length} rows of characters that the text lacks did not move by one bit.` : '');
}

/* ---- one batch, taken apart ---- */

const glyph = character => ({ ' ': '␣', '\n': '↵', '\t': '⇥' }[character] || character);

function card(parent, title, note) {
  const part = make('div', { class: 'card' }, parent);
  make('h3', {}, part, title);
  if (note) make('p', { class: 'note' }, part, note);
  return part;
}

function smallBars(parent, values, options) {
  const svg = make('svg', { class: 'small-bars', role: 'img', 'aria-label': options.label }, parent);
  drawBars(svg, [{ values: Array.from(values), before: options.before && Array.from(options.before), kind: options.kind || 'k5' }], 56);
}

function showInspect(answer) {
  $('inspect').hidden = !answer;
  $('inspect').replaceChildren();
  if (!answer) return;
  const { inspect, occurring } = answer;
  const lit = Array.from(occurring, (times, id) => ({ id, times })).filter(c => c.times).sort((a, b) => b.times - a.times);
  showLit(card($('inspect'), `Batch ${number(answer.step)}: ${lit.length} rows are lit`,
    `${number(answer.positions)} places of the text. These characters are looked up, so many times each; the other ${CHARACTERS - lit.length} rows get no gradient and stay.`), lit);
  const chain = make('ol', { class: 'chain' }, $('inspect')), stage = (title, note) => card(make('li', {}, chain), title, note);
  const context = stage('1. A place of the text', 'What stands before, and what came next:');
  const line = make('p', { class: 'context' }, context), before = [...inspect.context].map(glyph);
  make('span', {}, line, before.slice(0, -1).join(''));
  make('b', {}, line, before[before.length - 1]);
  make('i', {}, line, glyphOf(inspect.target));
  placeChooser(context, answer.positions);
  const lookup = stage(inspect.rows.length > 1 ? `2. ${inspect.rows.length} rows are looked up` : '2. Its row is looked up',
    inspect.rows.length > 1 ? 'The character and all strings that the text before ends with:' : 'The last character alone decides:');
  inspect.rows.slice(0, 8).forEach(row => {
    make('p', { class: 'row-name' }, lookup, `${row.name}`);
    smallBars(lookup, row.before, { label: `the row ${row.name}`, kind: row.row < CHARACTERS ? 'k' + kindOf(row.row) : 'k5' });
  });
  smallBars(stage('3. h', inspect.rows.length > 1 ? 'The sum of these rows.' : 'Here h is the row itself.'), inspect.h, { label: 'h' });
  showGuess(stage('4. The guess', 'p = softmax(W h + b), and what was wrong with it: p − onehot. Only the character that came has a negative number: more of it, less of all others.'), inspect);
  smallBars(stage('5. The way back', 'dh = Wᵀ(p − onehot): the gradient that arrives at the sum. Each row of the bag gets it.'), inspect.dh, { label: 'the gradient at h', kind: 'gradient' });
  const after = stage('6. The row moves', 'Against the sum of the gradients of the whole batch. Outline: before; filled: after.');
  inspect.rows.slice(0, 8).forEach(row => {
    make('p', { class: 'row-name' }, after, row.name);
    smallBars(after, row.gradient, { label: `the gradient of the row ${row.name}`, kind: 'gradient' });
    smallBars(after, row.after, { label: `the row ${row.name} after the step`, before: row.before, kind: row.row < CHARACTERS ? 'k' + kindOf(row.row) : 'k5' });
  });
  if (live.values.freeze) make('p', { class: 'note' }, after, 'The embedding is frozen: the gradient comes, the row stays.');
}

function showLit(parent, lit) {
  const list = make('ul', { class: 'chips' }, parent);
  lit.forEach(({ id, times }) => {
    const button = make('button', { type: 'button', class: 'k' + kindOf(id) }, make('li', {}, list));
    make('b', {}, button, glyphOf(id));
    make('span', {}, button, times);
    button.addEventListener('click', () => choose(id));
  });
}

function placeChooser(parent, positions) {
  const row = make('p', {}, parent), label = make('label', {}, row, 'Place of the next batch ');
  const field = make('input', { type: 'number', min: 1, max: positions, value: (live.position || 0) + 1 }, label);
  field.addEventListener('change', () => { live.position = clamp(Math.round(field.value) - 1 || 0, 0, positions - 1); });
}

/* The likeliest characters and the one that came: p, and p - onehot. */
function showGuess(parent, { probabilities, error, target }) {
  const ids = Array.from(probabilities, (_, id) => id).sort((a, b) => probabilities[b] - probabilities[a]);
  const rows = ids.slice(0, 7);
  if (!rows.includes(target)) rows.push(target);
  const table = make('table', { class: 'guess' }, parent), head = make('tr', {}, table);
  ['next', 'p', 'p − onehot'].forEach(name => make('th', { scope: 'col' }, head, name));
  rows.forEach(id => {
    const line = make('tr', id === target ? { class: 'target' } : {}, table);
    make('th', { scope: 'row', class: 'k' + kindOf(id) }, line, glyphOf(id) + (id === target ? ' came' : ''));
    bar(make('td', {}, line), probabilities[id] / probabilities[ids[0]], (100 * probabilities[id]).toFixed(1) + ' %');
    bar(make('td', {}, line), error[id], error[id].toFixed(3).replace('-', '−'));
  });
}

function bar(cell, value, text) {
  const svg = make('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': true }, cell);
  make('rect', { class: value < 0 ? 'down' : 'up', width: 100 * Math.min(1, Math.abs(value)), height: 10 }, svg);
  make('span', {}, cell, text);
}

/* ---- what it writes, what it expects ---- */

async function showWords() {
  live.lastWords = performance.now();
  if (live.asking || !shown.run) return;
  live.asking = true;
  const { run } = shown, prompt = $('prompt').value;
  try {
    const { text } = await ask('sample', { prompt: '', n: 240, temperature: 0.7, seed: 1 });
    const expected = await ask('next', { prompt });
    if (run === shown.run) {
      live.samples.push({ step: run.frames[lastMoment(run)].step, text });
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
  const past = live.samples.filter(sample => sample.step <= step);
  setText($('sample'), (past.length ? past[past.length - 1] : live.samples[0]).text);
}

function showNext({ probabilities, rows, bias }) {
  const part = $('next'), ids = Array.from(probabilities, (_, id) => id).sort((a, b) => probabilities[b] - probabilities[a]).slice(0, 6);
  part.replaceChildren();
  const table = make('table', { class: 'next' }, make('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'What each row adds' }, part));
  const head = make('tr', {}, table);
  make('th', { scope: 'col', class: 'left' }, head, 'next');
  ids.forEach(id => make('th', { scope: 'col', class: 'k' + kindOf(id) }, head, glyphOf(id)));
  const chance = make('tr', { class: 'chance' }, table);
  make('th', { scope: 'row' }, chance, 'p');
  ids.forEach(id => bar(make('td', {}, chance), probabilities[id] / probabilities[ids[0]], (100 * probabilities[id]).toFixed(1) + ' %'));
  const line = (name, adds) => {
    const tr = make('tr', {}, table);
    make('th', { scope: 'row' }, tr, name);
    ids.forEach(id => {
      const cell = make('td', {}, tr, (adds[id] < 0 ? '−' : '+') + Math.abs(adds[id]).toFixed(2));
      cell.style.background = `color-mix(in srgb, ${adds[id] < 0 ? 'var(--down)' : 'var(--up)'} ${Math.min(28, 9 * Math.abs(adds[id])).toFixed(0)}%, transparent)`;
    });
  };
  rows.forEach(row => line(row.name, row.adds));
  line('bias', bias);
  make('p', { class: 'note' }, part, 'Each row of the bag adds to the logits; softmax of their sums gives p.');
}

/* ---- claims, runs, link ---- */

const claims = [
  ['Freeze the embedding', { freeze: '1' }, 'The rows keep their random numbers; only the linear layer learns. The curve ends higher: the table is where the learning is.'],
  ['One number a row', { dim: '1' }, 'With dim 1 the characters must stand in one line.'],
  ['Two numbers a row', { dim: '2' }, 'With dim 2 the map is not a projection: what you see is the whole table.'],
  ['Longer strings', { order: '4', dim: '32' }, 'Strings of up to four characters have rows, too, and their sum predicts: far below the pairs.'],
  ['Plain SGD', { optimizer: 'sgd', lr: '' }, 'Rows of rare characters hardly move: they get few gradients. Adagrad makes up for that.'],
  ['Another seed', { seed: 'next' }, 'Another random start: other places, the same neighbours, nearly the same loss.'],
];

function showClaims() {
  claims.forEach(([name, change, what]) => {
    const part = make('div', { class: 'claim' }, $('claims'));
    make('button', { type: 'button' }, part, name).addEventListener('click', () => tryClaim(change));
    make('p', { class: 'note' }, part, what);
  });
}

/* A claim changes one thing of the first settings, so that its curve stands beside theirs. */
async function tryClaim(change) {
  const values = { ...first, ...change };
  if (change.seed) values.seed = String(+(formValues().seed || 1) + 1);
  fillForm(values);
  await start();
  $('bar').scrollIntoView({ block: 'start', behavior: wantsStill() ? 'auto' : 'smooth' });
  play();
}

/* A run that has been trained goes into the list of runs, the newest first. */
function keepRun() {
  const { run } = shown, known = run ? run.log.filter(row => Number.isFinite(row.val)) : [];
  if (!run || run.frames.length < 2 || !known.length) return;
  const old = live.runs.find(one => one.run === run), loss = live.done ? $('val-loss').textContent : known[known.length - 1].val.toFixed(6);
  if (old) Object.assign(old, { loss, step: run.frames[lastMoment(run)].step });
  else live.runs.unshift({ run, loss, step: run.frames[lastMoment(run)].step });
  live.runs.length = Math.min(live.runs.length, 8);
  const table = $('runs');
  table.hidden = false;
  table.replaceChildren();
  make('caption', {}, table, 'Your runs so far');
  const head = make('tr', {}, table);
  ['text', 'settings', 'batches', 'held-out loss'].forEach((name, i) => make('th', { scope: 'col', class: i < 2 ? 'left' : '' }, head, name));
  live.runs.forEach(one => {
    const line = make('tr', {}, table);
    make('td', { class: 'left' }, line, one.run.text);
    make('td', { class: 'left' }, line, one.run.label);
    make('td', {}, line, number(one.step));
    make('td', {}, line, one.loss);
  });
}

function hashOf(values) {
  return '#' + new URLSearchParams(Object.entries(values).filter(([name, value]) => !(name === 'optimizer' && value === 'adagrad'))).toString();
}

function showLink() {
  const own = live.values.text === 'own', hash = hashOf(live.values) + '&run=';
  $('link').href = hash;
  $('link').textContent = hash.replace(/=$/, '') + (own ? ' (who opens it brings the text)' : '');
  try { history.replaceState(null, '', hashOf(live.values)); } catch { /* an address that cannot be changed stays */ }
}

/* ---- one's own text ---- */

async function useFile(file) {
  if (!file) return;
  texts.own = new Uint8Array(await file.arrayBuffer());
  $('own-text').value = '';
  $('own-text').placeholder = `${file.name}: ${number(file.size)} bytes`;
  useOwn();
}

function useOwn() {
  fillForm({ ...formValues(), text: 'own', epochs: '' });
  start();
}

/* ---- the story ---- */

const story = [
  ['A table of random numbers', 'Each character has one row of ten numbers, drawn at random. The map shows the rows on a plane; the table below shows the numbers themselves.',
    'Choose the row of e.', 'Its nearest rows are any rows: nothing has been learned.', 'Choose e', () => choose(idOf('e'))],
  ['One batch', 'The program takes 256 places of the text at random. At each it looks up the row of the last character and guesses what comes next.',
    'Take one step.', 'Ringed rows were looked up, and only they moved. The dashed ones are not in the text: they never move. That is the control group.', 'One step', () => step()],
  ['Where the gradient comes from', 'The guess p is compared with what came: p − onehot. This error goes back through the linear layer, and arrives at the row that was looked up.',
    'Read “One batch, taken apart” below.', 'The number of the character that came is negative, all others are positive. The row moves against the gradient.', 'Show it', showApart],
  ['A thousand batches', 'Training is this step, again and again.',
    'Press Play.', 'Vowels move together, and so do capitals and the marks at the ends of sentences. Nobody told the program what a vowel is.', 'Play', () => play()],
  ['Why they come together', 'A row is only used to predict what comes next. Two characters that are followed by the same characters get the same gradients: their rows end up near each other.',
    'Choose a, and look at its nearest rows. Then type a text into “What it expects next”.', 'Near rows expect nearly the same.', 'Choose a', () => choose(idOf('a'))],
  ['So what is an embedding?', 'A table of rows; looking one up; and backpropagation, which moves the rows that were looked up. Nothing more.',
    'Freeze the table and train again.', 'The loss stays higher: the random rows do not help each other. The rows of a trained table say how characters are used.', 'Freeze and play', () => tryClaim({ freeze: '1' })],
];

let page = 0;

function showApart() {
  const see = () => $('inspect-part').scrollIntoView({ block: 'start', behavior: wantsStill() ? 'auto' : 'smooth' });
  if (live.inspect || live.done) see();
  else step().then(see);
}

function showStory() {
  const [title, what, task, notice, name, action] = story[page], part = $('story-step');
  part.replaceChildren();
  make('h3', {}, part, `${page + 1}. ${title}`);
  make('p', {}, part, what);
  make('p', { class: 'do' }, part, task);
  make('p', { class: 'notice' }, part, notice);
  $('story-do').replaceChildren();
  make('button', { type: 'button' }, $('story-do'), name).addEventListener('click', action);
  $('story-dots').textContent = `${page + 1} of ${story.length}`;
  $('story-back').disabled = page === 0;
  $('story-on').disabled = page === story.length - 1;
}

function turnPage(by) {
  page = clamp(page + by, 0, story.length - 1);
  showStory();
}

/* ---- wiring ---- */

function followHash() {
  const values = readHash();
  fillForm(values);
  const hasty = 'run' in values;
  return start(hasty).then(() => hasty ? play(true) : undefined);
}

function wire() {
  form.addEventListener('submit', event => event.preventDefault());
  form.addEventListener('change', event => {
    const { name, value } = event.target;
    if (!name) return;
    if (name === 'text') fillForm({ ...formValues(), ...perText[value] });
    start();
  });
  $('play').addEventListener('click', () => shown.playing || player ? stop() : play());
  $('step').addEventListener('click', step);
  $('again').addEventListener('click', () => start());
  $('speed').addEventListener('change', () => { if (shown.playing) stop().then(() => play()); });
  $('slider').addEventListener('input', event => slideTo(+event.target.value));
  $('prompt').addEventListener('input', showWords);
  $('own-use').addEventListener('click', () => { if ($('own-text').value) texts.own = $('own-text').value; useOwn(); });
  $('own-file').addEventListener('change', event => useFile(event.target.files[0]));
  addEventListener('dragover', event => event.preventDefault());
  addEventListener('drop', event => { event.preventDefault(); useFile(event.dataTransfer.files[0]); });
  $('story-back').addEventListener('click', () => turnPage(-1));
  $('story-on').addEventListener('click', () => turnPage(1));
  addEventListener('hashchange', followHash);
  listeners.push(showSample);
  $('map').addEventListener('pointerdown', () => { live.touchedRow = true; });
}

shown.live = true;
$('setup').open = innerWidth >= 760;
worker = new Worker(URL.createObjectURL(new Blob([$('worker').textContent], { type: 'text/javascript' })));
worker.onmessage = hear;
worker.onerror = event => say(`The trainer cannot start: ${event.message}. The page needs a browser with WebAssembly.`, true);
wire();
showClaims();
showStory();
ask('load', { module: $('module').textContent.trim() }).then(followHash, error => say(error.message, true));
