'use strict';
/* A run that goes on: the trainer in a worker, and the hand on it. page/worker.js describes the messages. */

/* ---- the worker ---- */

const calls = new Map();
let worker,
  nextCall = 1;

function ask(name, fields) {
  return new Promise((done, failed) => {
    const id = nextCall++;
    calls.set(id, {done, failed});
    worker.postMessage({id, do: name, ...fields});
  });
}

function hear({data}) {
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
const first = {text: 'fables', order: '1', dim: '10', epochs: '4', seed: '1', start: '0.1'};
const texts = {notebook: 'WTF does nn.Embedding do?', fables: null, names: null, own: null};
const perText = {
  notebook: {order: '1', dim: '10', epochs: '200'},
  fables: {epochs: '4'},
  names: {epochs: '40'},
  own: {epochs: ''},
};
const fields = [...form.elements].filter((field) => field.name);

function readHash() {
  const given = new URLSearchParams(location.hash.slice(1));
  return given.size ? Object.fromEntries(given) : {...first};
}

const named = (value) => (value === 'auto' ? '' : value);

/* Fields that are not named, or named auto, are empty: then ./train chooses. */
function fillForm(values) {
  fields.forEach((field) => {
    if (field.type === 'checkbox') field.checked = field.name in values && values[field.name] !== '0';
    else field.value = named(values[field.name]) || (field.tagName === 'SELECT' ? field.options[0].value : '');
  });
  if (!values.text) form.elements.text.value = 'fables';
}

function formValues() {
  return Object.fromEntries(
    fields
      .map((field) => [field.name, field.type === 'checkbox' ? (field.checked ? '1' : '') : field.value])
      .filter(([, value]) => value !== ''),
  );
}

function settingsOf(values) {
  const settings = {};
  for (const name of ['order', 'dim', 'epochs', 'lr', 'batch', 'seed', 'minCount', 'val'])
    if (values[name]) settings[name] = +values[name];
  if (values.optimizer === 'sgd') settings.optimizer = 'sgd';
  if (values.freeze) settings.freeze = true;
  if (values.start) settings.set = {'init-std': +values.start};
  if (values.text === 'notebook') Object.assign(settings, {val: 0});
  return settings;
}

/* What is typed under “What it expects next” unless one types something else. */
const prompts = {notebook: 'nn.E', fables: 'the ', names: 'Ma', own: 'the '};

/* The text that is chosen: a string, or the bytes of a file. */
const textOf = (name) =>
  name === 'fables' || name === 'names' ? $('text-' + name).textContent.replace(/^\n/, '') : texts[name];

/* ---- a run ---- */

const live = {values: null, done: false, busy: 0, samples: [], runs: [], place: 0};

/* Starts again from the settings of the form; the run before goes on as a faint curve when the text is the same.
   hasty: the run begins at once, so nothing is asked of the start. Returns whether this run is the one that is shown:
   false after an error, or when another one has been started meanwhile. */
async function start(hasty) {
  const mine = ++live.busy,
    values = formValues(),
    address = location.hash,
    text = textOf(values.text);
  $('own').hidden = values.text !== 'own';
  if (text === null || text === '') {
    say('Paste or drop a text of your own, then press “Use this text”.');
    return false;
  }
  if (Object.values(prompts).includes($('prompt').value)) $('prompt').value = prompts[values.text] ?? 'the ';
  await stop();
  keepRun();
  try {
    const made = await ask('start', {text, settings: settingsOf(values)});
    if (mine !== live.busy) return false;
    const run = newRun(made.settings.dim, Array.from(made.counts), made.steps);
    run.id = made.run;
    run.label = label(values);
    run.text = values.text;
    const {uniform, unigram, bigram, least} = made.baselines;
    run.baselines = [
      ['knows nothing', uniform],
      ['frequencies', unigram],
      ['pairs', bigram],
      ['the least possible', least],
    ]
      .filter(([, loss], i) => Number.isFinite(loss) && !(i === 3 && loss === bigram))
      .map(([name, loss]) => ({name, loss}));
    if (least === bigram && run.baselines[2]) run.baselines[2].name = 'pairs: the least possible';
    addFrame(run, 0, made.table);
    Object.assign(live, {values, broken: false, done: false, samples: [], inspect: null});
    shown.moment = 0;
    shown.earlier = live.runs
      .filter((one) => one.run.text === values.text && one.run.log.some((row) => row.val))
      .slice(0, 3)
      .map((one) => one.run);
    showPlaceholders(made.settings);
    const frequent = run.seen.reduce((most, id) => (run.count[id] > run.count[most] ? id : most));
    if (run.ghosts.includes(shown.kept)) shown.chosen = frequent;
    showRun(run);
    showInspect(null);
    say(made.notice);
    if (location.hash === address) showLink(hasty);
    enable();
    if (hasty) return true;
    const {valLoss} = await ask('evaluate');
    if (mine === live.busy) hearLoss(0, valLoss, valLoss);
    await showWords();
    return mine === live.busy;
  } catch (error) {
    if (mine !== live.busy) return false;
    say(error.message, true);
    live.broken = true; /* the run that is shown is over */
    if (shown.run) enable();
  }
  return false;
}

function label(values) {
  const {text, ...rest} = values;
  return Object.entries(rest)
    .filter(([name, value]) => !(name === 'optimizer' && value === 'adagrad'))
    .map(([name, value]) => (name === 'freeze' ? 'frozen' : `${name === 'start' ? 'random start' : name} ${value}`))
    .join(', ');
}

function showPlaceholders(settings) {
  fields.forEach((field) => {
    if (field.name in settings && field.type === 'number') field.placeholder = settings[field.name];
  });
  $('loss-now').firstChild.textContent = settings.val > 0 ? 'validation loss ' : 'loss, without validation ';
}

/* A loss, into the curve and into the element val-loss. */
function hearLoss(step, train, val) {
  const {run} = shown;
  run.log.push({step, train, val});
  if (run.log.length > 1500) run.log = run.log.filter((row, i) => i % 2 === 0 || Number.isFinite(row.val));
  if (Number.isFinite(val)) $('val-loss').textContent = val.toFixed(6);
  changed = true;
  if (!shown.playing) redraw();
}

function hearProgress(event) {
  const {run} = shown;
  if (!run || event.run !== run.id) return;
  const shownStep = stepAt(run, shown.moment);
  addFrame(run, event.step, event.table);
  shown.moment = momentOf(run, shownStep); /* frames may have been thinned out */
  $('slider').max = lastMoment(run);
  const most = Math.max(...event.touched, 1e-9);
  if (!live.fast)
    event.touched.forEach((moved, id) => {
      if (moved > 0) shown.flash[id] = Math.max(shown.flash[id], 0.1 + (0.6 * moved) / most);
    });
  shown.gradient = shown.before = null;
  if (event.step > 0 || !run.log.length) hearLoss(event.step, event.loss ?? event.valLoss, event.valLoss);
  if (live.follow && isTime()) show(lastMoment(run));
  if (performance.now() - (live.lastWords || 0) > (live.fast ? 1500 : 500)) showWords();
}

/* Where little motion is wanted, the map shows a moment every second; at full speed ten, for training comes first. */
function isTime() {
  const now = performance.now(),
    gap = wantsStill() ? 1000 : live.fast ? 100 : 0;
  if (now - (live.lastShown || 0) < gap) return false;
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
  $('play').disabled = live.broken && !live.done;
  $('step').disabled = live.broken || live.done || shown.playing;
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
  const mine = live.busy,
    steps = fast ? undefined : pace();
  live.fast = !steps;
  shown.eased = !live.fast && !wantsStill();
  shown.playing = live.follow = true;
  $('what').setAttribute('aria-live', 'off');
  show(lastMoment(shown.run));
  enable();
  try {
    const {step, valLoss, best, done} = await ask('run', steps ? {pace: steps} : {});
    if (mine !== live.busy) return;
    if (done) finish(step, best === undefined ? valLoss : best);
  } catch (error) {
    if (mine === live.busy) say(error.message, true);
  }
  if (mine === live.busy) halted();
}

function halted() {
  shown.playing = shown.eased = false;
  shown.turning = 60;
  if (live.follow) show(lastMoment(shown.run));
  $('what').setAttribute('aria-live', 'polite');
  enable();
  showWords();
  redraw();
}

function finish(step, loss) {
  live.done = true;
  if (step < shown.run.steps) say(`Training ended at batch ${number(step)}: the loss has stopped falling.`);
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
  if (!shown.run || live.broken || live.done || shown.playing) return;
  const {run} = shown,
    before = run.frames[lastMoment(run)].table;
  try {
    const answer = await ask('step', {position: live.place});
    if (run !== shown.run || answer.run !== run.id) return;
    addFrame(run, answer.step, answer.table);
    live.follow = true;
    $('slider').max = lastMoment(run);
    shown.before = before;
    shown.gradient = answer.gradient;
    answer.occurring.forEach((times, id) => {
      shown.flash[id] = times ? 1 : 0;
    });
    live.inspect = answer;
    if (!live.touchedRow) choose(answer.inspect.rows.find(({row}) => row < CHARACTERS).row);
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
  const {run} = shown;
  if (run.frames.length < 2) return setText($('still'), 'No row has moved yet.');
  const still = run.ghosts.filter((id) => run.moved(id) === 0).length;
  return setText(
    $('still'),
    run.ghosts.length
      ? `${still} of the ${run.ghosts.length} rows of characters that the text lacks did not move by one bit.`
      : '',
  );
}

/* ---- the runs so far, the link ---- */

/* A run that has been trained goes into the list of runs, the newest first. */
function keepRun() {
  const {run} = shown,
    known = run ? run.log.filter((row) => Number.isFinite(row.val)) : [];
  if (!run || run.frames.length < 2 || !known.length) return;
  const old = live.runs.find((one) => one.run === run),
    loss = live.done ? $('val-loss').textContent : known[known.length - 1].val.toFixed(6);
  if (old) Object.assign(old, {loss, step: run.frames[lastMoment(run)].step});
  else live.runs.unshift({run, loss, step: run.frames[lastMoment(run)].step});
  live.runs.length = Math.min(live.runs.length, 8);
  const table = $('runs');
  table.hidden = false;
  table.replaceChildren();
  make('caption', {}, table, 'Your runs so far');
  const head = make('tr', {}, table);
  ['text', 'settings', 'batches', 'validation loss'].forEach((name, i) =>
    make('th', {scope: 'col', class: i < 2 ? 'left' : ''}, head, name),
  );
  live.runs.forEach((one) => {
    const line = make('tr', {}, table);
    make('td', {class: 'left'}, line, one.run.text);
    make('td', {class: 'left'}, line, one.run.label);
    make('td', {}, line, number(one.step));
    make('td', {}, line, one.loss);
  });
}

function hashOf(values) {
  return (
    '#' +
    new URLSearchParams(
      Object.entries(values).filter(([name, value]) => !(name === 'optimizer' && value === 'adagrad')),
    ).toString()
  );
}

/* The link trains at once; the address does when it did so when the page was opened. */
function showLink(hasty) {
  const own = live.values.text === 'own',
    hash = hashOf(live.values);
  $('link').href = hash + '&run';
  $('link').textContent = hash + '&run' + (own ? ' (who opens it brings the text)' : '');
  try {
    history.replaceState(null, '', hasty ? hash + '&run' : hash);
  } catch {
    /* an address that cannot be changed stays */
  }
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
  fillForm({...formValues(), text: 'own', epochs: ''});
  start();
}

/* ---- wiring ---- */

function followHash() {
  const values = readHash();
  fillForm(values);
  const hasty = 'run' in values;
  return start(hasty).then((shows) => (shows && hasty ? play(true) : undefined));
}

function wire() {
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('change', (event) => {
    const {name, value} = event.target;
    if (!name) return;
    if (name === 'text') fillForm({...formValues(), ...perText[value]});
    start();
  });
  $('play').addEventListener('click', () => (shown.playing || player ? stop() : play()));
  $('step').addEventListener('click', step);
  $('again').addEventListener('click', () => start());
  $('speed').addEventListener('change', () => {
    if (shown.playing) stop().then(() => play());
  });
  $('slider').addEventListener('input', (event) => slideTo(+event.target.value));
  $('prompt').addEventListener('input', showWords);
  $('own-use').addEventListener('click', () => {
    if ($('own-text').value) texts.own = $('own-text').value;
    useOwn();
  });
  $('own-file').addEventListener('change', (event) => useFile(event.target.files[0]));
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    useFile(event.dataTransfer.files[0]);
  });
  addEventListener('hashchange', followHash);
  listeners.push(showSample);
  $('map').addEventListener('pointerdown', () => {
    live.touchedRow = true;
  });
}

shown.live = true;
$('setup').open = innerWidth >= 760;
worker = new Worker(URL.createObjectURL(new Blob([$('worker').textContent], {type: 'text/javascript'})));
worker.onmessage = hear;
worker.onerror = (event) =>
  say(`The trainer cannot start: ${event.message}. The page needs a browser with WebAssembly.`, true);
wire();
ask('load', {module: $('module').textContent.trim()}).then(followHash, (error) => say(error.message, true));
