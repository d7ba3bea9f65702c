'use strict';
/* worker.js: the trainer of page/core.c in a worker. The page sends {id, do: NAME, ...}; the answer is {id, ...result} or
   {id, error: "one clear sentence"}. Unasked comes {event: NAME, ...}. Losses are in nats per character; places and steps
   count from 0; C is 100, D the dim; a row is a number 0..rows-1, 0..99 are the characters' (lib/characters.h).

   load      {module: base64 of the gzipped module}  -> {}   first of all, once
   start     {text: string or bytes of a file, settings: {order, dim, batch, epochs, lr, optimizer: "adagrad"|"sgd", seed,
              freeze, rows, minCount, maxRows, val ..., set: {"init-std": 1, ...}}}: options of ./train, with its defaults
             -> {settings (as chosen, by these names), characters, trainCharacters, rows, parameters, steps, epochSteps,
                 notice ("" or what ./train says of the text), baselines: {uniform, unigram, bigram, least (null: unknown)},
                 counts: Uint32Array(C), kinds: [{name, first, end}], table: Float32Array(C D), memory (bytes)}
   run       {until: step, pace: steps a second at most}: trains; answers {step, valLoss, best, done} at `until`, at the end,
             or when paused; done: ./train would end here, and best is what it calls the model's validation loss. Meanwhile, at
             most 60 times a second (without a pace 30 at first, 8 later), comes the event progress: {run, step, steps, loss, valLoss
             (null but where ./train evaluates, and at the end), table, touched: Float32Array(C) (how far each row moved since
             the last event), charactersPerSecond}
   pause     {} -> {step}
   step      {position: n}: one batch -> {run, step, loss, positions, occurring: Uint32Array(C) (in the bags of how many positions
             each character's row was), gradient: Float32Array(C D) (of the batch), table, inspect: {context, target, place,
             rows: [{name, kind, row, before, gradient (of the batch), after}], h, probabilities, error (p - onehot),
             dh (of error)}}
   inspect   {position: 0..255} -> {inspect: the same for another position of the batch of the last step, or null}
   evaluate  {} -> {valLoss}
   sample    {prompt, n, temperature, seed} -> {text}: what ./sample writes
   next      {prompt} -> {probabilities, rows: [{name, kind, row, count, adds: Float32Array(C)}], bias: Float32Array(C)}
   row       {row: number, name or character} -> {row, name, kind, values, count, neighbours: [{row, name, cosine}]}
   digest    {} -> {embedding, linear, embeddingSum, linearSum: bytes}: all weights (and Adagrad's sums) as they are */

const C = 100, NONE = 0xffffffff, MOST_LOOKS = 256;
let compiled; // WebAssembly.Module
let run; // the present one, of startRun

/* ---- the module ------------------------------------------------------------------------------------------------------- */

class Failure extends Error {}

// Instantiates the module with these bytes as its standard input. notices collects what the C says beside errors.
function instantiate(bytes, notices) {
  let core, read = 0;
  const text = (at) => {
    const memory = new Uint8Array(core.memory.buffer);
    return new TextDecoder().decode(memory.subarray(at, memory.indexOf(0, at)));
  };
  const system = {
    clock_time_get(clock, precision, at) {
      new DataView(core.memory.buffer).setBigUint64(at, BigInt(Math.round(performance.now() * 1e6)), true);
      return 0;
    },
    fd_read(file, vectors, count, total) {
      const memory = new DataView(core.memory.buffer), before = read;
      for (let i = 0; i < count; i++) {
        const part = bytes.subarray(read, read + memory.getUint32(vectors + 8 * i + 4, true));
        new Uint8Array(core.memory.buffer).set(part, memory.getUint32(vectors + 8 * i, true));
        read += part.length;
      }
      memory.setUint32(total, read - before, true);
      return 0;
    },
    proc_exit() { throw new Failure('the program ended'); },
  };
  const page = {
    error(at) { throw new Failure(text(at).replace(/^-: /, 'the text: ')); },
    notice(at) { notices.push(text(at)); },
  };
  const imports = {page, wasi_snapshot_preview1: {}};
  for (const {module, name} of WebAssembly.Module.imports(compiled))
    if (module !== 'page') imports[module][name] = system[name] ?? (() => 8); // no such file is open
  core = new WebAssembly.Instance(compiled, imports).exports;
  core._initialize();
  return {core, text};
}

// Calls a function of the module. After an error its stack is as it was before.
function call(name, ...values) {
  const stack = run.core.__stack_pointer, before = stack.value;
  try {
    return run.core[name](...values);
  } catch (error) {
    stack.value = before;
    if (error instanceof Failure) throw error;
    throw new Failure(`the program stopped: ${error.message}; reload the page`);
  }
}

// A string in the module's memory; the caller ends with call('done', it).
function put(string) {
  const bytes = new TextEncoder().encode(string), at = call('room', bytes.length + 1);
  new Uint8Array(run.core.memory.buffer).set(bytes, at);
  return at;
}

// Copies of arrays in the module's memory.
const floats = (at, count) => new Float32Array(run.core.memory.buffer, at, count).slice();
const numbers = (at, count) => new Uint32Array(run.core.memory.buffer, at, count).slice();
const table = () => floats(run.at.embedding, C * run.dim);
const values = (row) => floats(run.at.embedding + 4 * row * run.dim, run.dim);
const nameOf = (row) => run.text(call('name', row));
const kindOf = (row) => run.kinds.find((kind) => row < kind.end).name;
const countOf = (row) => numbers(run.at.count + 4 * row, 1)[0];

// The rows of the bag that was looked at.
function bag() {
  const rows = new Uint32Array(run.core.memory.buffer, run.at.bag);
  return [...rows.subarray(0, rows.indexOf(NONE))];
}

/* ---- a run ------------------------------------------------------------------------------------------------------------ */

const camel = (name) => name.replace(/-./g, (letter) => letter[1].toUpperCase());
const kebab = (name) => name.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase());

// Settings as ./train's command line.
function commandLine(settings) {
  const words = ['train'];
  for (const [name, value] of Object.entries(settings)) {
    const option = '--' + (name === 'freeze' ? 'freeze-embedding' : kebab(name));
    if (name === 'set') for (const key in value) words.push('--set', `${key}=${value[key]}`);
    else if (value === true) words.push(option);
    else if (value !== false && value !== null && value !== undefined) words.push(`${option}=${value}`);
  }
  return [...words, '-'];
}

// The lines of core.c's facts_of.
function readFacts(lines) {
  const facts = {settings: {}, at: {}};
  for (const line of lines.trim().split('\n')) {
    const space = line.indexOf(' '), name = line.slice(0, space), value = line.slice(space + 1);
    const plain = {yes: true, no: false}[value] ?? (value === '' || isNaN(value) ? value : Number(value));
    if (name.startsWith('--')) facts.settings[camel(name.slice(2)).replace('freezeEmbedding', 'freeze')] = plain;
    else if (name.startsWith('@')) facts.at[name.slice(1)] = plain;
    else facts[name] = plain;
  }
  return facts;
}

function startRun(text, settings) {
  const notices = [], bytes = typeof text === 'string' ? new TextEncoder().encode(text) : new Uint8Array(text);
  run = instantiate(bytes, notices);
  const words = commandLine(settings).map(put), list = call('room', 4 * words.length);
  new Uint32Array(run.core.memory.buffer, list, words.length).set(words);
  const facts = readFacts(run.text(call('start', words.length, list)));
  Object.assign(run, facts, {dim: facts.settings.dim, step: 0, best: Infinity, sinceBest: 0, atOnce: 1, turn: 0});
  run.kinds = Object.keys(facts).filter((name) => name.startsWith('end:'))
    .map((name) => ({name: name.slice(4), end: facts[name]}));
  run.kinds.forEach((kind, i) => { kind.first = i ? run.kinds[i - 1].end : 0; });
  run.shown = table();
  const {settings: chosen, characters, trainCharacters, rows, steps, epochSteps, uniform, unigram, bigram} = facts;
  const counts = numbers(run.at.count, C), least = chosen.order === 1 && chosen.val > 0 ? bigram : null;
  if (counts.filter((count) => count).length === 1)
    notices.push('the text is one character over and over: there is nothing to tell apart, so nothing to learn');
  return {
    settings: chosen, characters, trainCharacters, rows, parameters: (rows + C) * run.dim + C, steps, epochSteps, counts,
    notice: notices.join('; '), baselines: {uniform, unigram, bigram, least}, kinds: run.kinds, table: run.shown,
    memory: run.core.memory.buffer.byteLength,
  };
}

// As ./train: `evaluations` times an epoch, and before the first step.
function isDue(step) {
  const within = step % run.epochSteps;
  for (let k = 0; k < run.settings.evaluations; k++)
    if (within === Math.floor(run.epochSteps * k / run.settings.evaluations)) return true;
  return false;
}

// Scores the model; run.over becomes true where ./train ends.
function score() {
  const loss = call('evaluate');
  if (!isFinite(loss)) throw new Failure('the validation loss is not a finite number; start again with a smaller learning rate');
  run.sinceBest = loss < run.best ? 0 : run.sinceBest + 1;
  run.best = Math.min(run.best, loss);
  run.valLoss = loss;
  run.evaluated = run.step;
  run.over = run.step === run.steps || run.sinceBest >= run.settings.evaluations;
  return loss;
}

// Takes some steps, not beyond the next evaluation, and scores there.
function take(most) {
  let steps = 1;
  while (steps < most && !isDue(run.step + steps)) steps++;
  const loss = call('run', steps);
  run.step += steps;
  return {loss, steps, valLoss: isDue(run.step) || run.step === run.steps ? score() : null};
}

function progress(loss, valLoss, characters, seconds) {
  const {dim, shown} = run, now = table(), touched = new Float32Array(C);
  for (let row = 0, i = 0; row < C; row++) {
    let sum = 0;
    for (const end = i + dim; i < end; i++) sum += (now[i] - shown[i]) * (now[i] - shown[i]);
    touched[row] = Math.sqrt(sum);
  }
  run.shown = now;
  postMessage({event: 'progress', run: run.id, step: run.step, steps: run.steps, loss, valLoss, table: now, touched,
               charactersPerSecond: characters / seconds});
}

// What is waiting in the queue of messages comes first: a message to oneself, without the delay of setTimeout.
const {port1, port2} = new MessageChannel();
const waiting = [];
port1.onmessage = () => waiting.shift()();
const otherMessages = () => new Promise((resolve) => { waiting.push(resolve); port2.postMessage(0); });
const sleep = (time) => new Promise((resolve) => setTimeout(resolve, 1000 * time));

const seconds = () => performance.now() / 1000;

// Takes steps until so many are taken, or the goal or this moment has come, or ./train would end. Their mean loss, and the
// validation loss when one was due.
function takeSome(most, goal, end) {
  let loss = 0, valLoss = null, steps = 0;
  while (steps < most && run.step < goal && !run.over && seconds() < end) {
    const before = seconds(), taken = take(Math.min(run.atOnce, goal - run.step, most - steps, 4096));
    loss += taken.loss * taken.steps;
    steps += taken.steps;
    valLoss = taken.valLoss ?? valLoss;
    run.atOnce = Math.max(1, Math.floor(0.005 * taken.steps / Math.max(seconds() - before, 1e-5))); // as 5 ms have room for
  }
  return {loss: loss / steps, valLoss, steps};
}

// Trains in slices, between which other messages are heard and the page draws: without a pace they grow, so that drawing takes
// no more than its share of a long run. A pace allows so many steps a second: `allowed` of them now.
async function train({until = run.steps, pace = Infinity}) {
  const mine = run, turn = ++run.turn, goal = Math.min(until, run.steps), begun = seconds();
  if (run.evaluated === undefined) progress(null, score(), 0, 1);
  let allowed = pace < Infinity ? 1 : Infinity, last = seconds();
  while (run === mine && run.turn === turn && run.step < goal && !run.over) {
    const before = seconds(), frame = pace < Infinity ? 1 / 60 : Math.min(1 / 8, Math.max(1 / 30, (before - begun) / 15));
    const {loss, valLoss, steps} = takeSome(Math.floor(allowed), goal, before + 0.8 * frame);
    if (steps) {
      progress(loss, valLoss, steps * run.settings.batch, seconds() - last);
      last = seconds();
    }
    allowed -= steps;
    if (pace < Infinity) await sleep(Math.max(frame - (seconds() - before), (1 - allowed) / pace));
    else await otherMessages();
    allowed = pace < Infinity ? Math.min(allowed + pace * (seconds() - before), Math.max(1, 2 * pace * frame)) : Infinity;
  }
  if (run !== mine) throw new Failure('another run was started');
  return {step: run.step, valLoss: run.valLoss, best: run.best, done: !!run.over};
}

/* ---- looking ---------------------------------------------------------------------------------------------------------- */

// A position of the next batch: what is computed there, before the step.
function lookAt(position) {
  const place = call('lookAt', position), {at, dim} = run;
  const ids = new Uint8Array(run.core.memory.buffer, at.text), target = ids[place];
  const context = [...ids.slice(Math.max(0, place - 40), place)].map(nameOfCharacter).join('');
  const probabilities = floats(at.p, C), error = probabilities.slice();
  error[target] -= 1;
  const rows = bag().map((row) => ({name: nameOf(row), kind: kindOf(row), row, before: values(row)}));
  return {context, target, place, rows, h: floats(at.h, dim), probabilities, error, dh: floats(at.dh, dim)};
}

function oneStep(position) {
  const {at, dim} = run, looks = [];
  for (let p = 0; p < Math.min(run.settings.batch, MOST_LOOKS); p++) looks.push(lookAt(p));
  if (position >= looks.length) looks[position] = lookAt(position);
  const {loss} = take(1), positions = call('occurring'), occurring = numbers(at.occurring, C);
  const gradients = new Map(), gradient = new Float32Array(C * dim);
  const gradientOf = (row) => {
    if (!gradients.has(row)) {
      call('gradient', row);
      gradients.set(row, floats(at.gradient, dim));
    }
    return gradients.get(row);
  };
  occurring.forEach((times, row) => { if (times) gradient.set(gradientOf(row), row * dim); });
  for (const look of looks) {
    if (!look) continue;
    look.dh = look.dh.map((value) => value * positions);
    for (const row of look.rows) Object.assign(row, {gradient: gradientOf(row.row), after: values(row.row)});
  }
  run.looks = looks.filter((look, p) => look && p < positions);
  run.shown = table();
  return {run: run.id, step: run.step, loss, valLoss: run.evaluated === run.step ? run.valLoss : null, positions,
          occurring, gradient, table: run.shown, inspect: looks[Math.min(position, positions - 1)]};
}

const PRINTABLE = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\v\f';
const nameOfCharacter = (id) => PRINTABLE[id];

// Calls read or sample with a prompt.
function withPrompt(name, prompt, ...values) {
  const at = put(prompt);
  try {
    return call(name, at, ...values);
  } finally {
    call('done', at);
  }
}

// What a row adds to each logit.
function addsOf(row) {
  const {at, dim} = run, vector = values(row), weight = new Float32Array(run.core.memory.buffer, at.linear, C * dim);
  return Float32Array.from({length: C}, (_, c) => vector.reduce((sum, value, d) => sum + value * weight[c * dim + d], 0));
}

function expectNext(prompt) {
  withPrompt('read', prompt);
  const counts = numbers(run.at.count, C), p = floats(run.at.p, C).map((value, id) => counts[id] ? value : 0);
  const sum = p.reduce((a, b) => a + b);
  return {
    probabilities: p.map((value) => value / sum),
    rows: bag().map((row) => ({name: nameOf(row), kind: kindOf(row), row, count: countOf(row), adds: addsOf(row)})),
    bias: floats(run.at.linear + 4 * C * run.dim, C),
  };
}

// The rows of the same kind, that occur, whose directions are nearest.
function neighboursOf(row) {
  const {dim} = run, kind = run.kinds.find(({end}) => row < end), found = [];
  const all = new Float32Array(run.core.memory.buffer, run.at.embedding, kind.end * dim);
  const counts = new Uint32Array(run.core.memory.buffer, run.at.count, kind.end);
  const dot = (a, b) => {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += all[a * dim + d] * all[b * dim + d];
    return sum;
  };
  const length = Math.sqrt(dot(row, row));
  for (let other = kind.first; other < kind.end; other++) {
    if (other === row || !counts[other]) continue;
    const cosine = dot(row, other) / (length * Math.sqrt(dot(other, other)));
    if (found.length === 10 && !(cosine > found[9].cosine)) continue;
    if (isFinite(cosine)) found.push({row: other, cosine});
    found.sort((a, b) => b.cosine - a.cosine);
    found.length = Math.min(found.length, 10);
  }
  return found.map(({row: other, cosine}) => ({row: other, name: nameOf(other), cosine}));
}

function describeRow(asked) {
  let row = asked;
  if (typeof asked === 'string') {
    const at = put(asked);
    row = call('row', at) >>> 0;
    call('done', at);
  }
  if (!(row < run.rows)) throw new Failure(`no row is called ${asked}`);
  return {row, name: nameOf(row), kind: kindOf(row), values: values(row), count: countOf(row), neighbours: neighboursOf(row)};
}

function allWeights() {
  const {at, dim, rows} = run, linear = C * dim + C;
  const bytes = (from, count) => from ? new Uint8Array(run.core.memory.buffer, from, 4 * count).slice() : new Uint8Array();
  return {embedding: bytes(at.embedding, rows * dim), linear: bytes(at.linear, linear),
          embeddingSum: bytes(at.embeddingSum, rows * dim), linearSum: bytes(at.linearSum, linear)};
}

/* ---- messages --------------------------------------------------------------------------------------------------------- */

async function load(base64) {
  const gzipped = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const {readable, writable} = new DecompressionStream('gzip'), writer = writable.getWriter();
  writer.write(gzipped); // (WebKit cannot read a Blob here when the page is a file)
  writer.close();
  compiled = await WebAssembly.compile(await new Response(readable).arrayBuffer());
  return {};
}

function pause() {
  run.turn++;
  return {step: run.step};
}

const actions = {
  load: ({module}) => load(module),
  start({id, text, settings = {}}) {
    try {
      return Object.assign(startRun(text, settings), {run: run.id = id});
    } catch (error) {
      run = undefined;
      throw error;
    }
  },
  run: train,
  pause,
  step: ({position = 0}) => oneStep(position),
  inspect: ({position = 0}) => ({inspect: run.looks?.[position] ?? null}),
  evaluate: () => ({valLoss: run.evaluated === run.step ? run.valLoss : run.step === 0 ? score() : call('evaluate')}),
  sample({prompt = '', n = 200, temperature = 0.8, seed = 1}) {
    const at = withPrompt('sample', prompt, n, temperature, seed), text = run.text(at);
    call('done', at);
    return {text};
  },
  next: ({prompt = ''}) => expectNext(prompt),
  row: ({row, name}) => describeRow(row ?? name),
  digest: allWeights,
};

onmessage = async ({data}) => {
  try {
    if (data.do !== 'load' && data.do !== 'start' && !run) throw new Failure('nothing is started yet');
    postMessage({id: data.id, ...await actions[data.do](data)});
  } catch (error) {
    postMessage({id: data.id, error: error.message});
  }
};
