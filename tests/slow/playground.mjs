// The trainer inside docs/playground.html, run here in Node as the page runs it in its worker: after the same steps the weights
// have the same bytes as the native program's. Usage: node playground.mjs PAGE NAME RUN [OPTION VALUE]... < TEXT, where RUN is
// the folder of a finished ./train with these options on the same text. Prints ok and FAIL lines.
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import vm from 'node:vm';

const [page, name, folder, ...options] = process.argv.slice(2);
const html = readFileSync(page, 'utf8');
const part = (id) => html.match(new RegExp(`<script type="text/plain" id="${id}">\n([^]*?)</script>`))[1];

// The worker, as one function: ask(do, {...}) answers.
function startWorker() {
  const waiting = new Map();
  const context = vm.createContext({
    WebAssembly, TextDecoder, TextEncoder, performance, MessageChannel, setTimeout, Response, DecompressionStream, atob,
    Uint8Array, Float32Array, Uint32Array,
    postMessage: (message) => message.event || waiting.get(message.id)(message),
  });
  vm.runInContext(part('worker'), context);
  return async (action, rest = {}) => {
    const answer = await new Promise((resolve) => {
      waiting.set(waiting.size, resolve);
      context.onmessage({data: {id: waiting.size - 1, do: action, ...rest}});
    });
    if (answer.error) throw new Error(answer.error);
    return answer;
  };
}

// A tensor of a run's files: of the checkpoint, or of the model when that is the newest and has it. A file begins with 8 bytes
// that say how long the JSON is that says where each tensor stands behind it.
function tensor(key, file = 'checkpoint') {
  const bytes = readFileSync(`${folder}/${file}.safetensors`), length = Number(bytes.readBigUInt64LE());
  const entry = JSON.parse(bytes.subarray(8, 8 + length))[key];
  if (!entry) return file === 'model' ? Buffer.alloc(0) : tensor(key, 'model'); // SGD has no sums
  return bytes.subarray(8 + length + entry.data_offsets[0], 8 + length + entry.data_offsets[1]);
}

const check = (good, what, why = 'it does not hold') => console.log(good ? `ok ${name}: ${what}` : `FAIL ${name}: ${what}: ${why}`);

const settings = {};
for (let i = 0; i < options.length; i += 2) settings[options[i].replace('--', '')] = options[i + 1];
const ask = startWorker(), text = readFileSync(0);
await ask('load', {module: part('module')});
const {steps, settings: {lr}} = await ask('start', {text, settings});
const {inspect} = await ask('step', {position: 5}); // looking must not change what is learned
const moved = ({before, gradient, after}) => after.every((value, d) => value === Math.fround(before[d] - Math.fround(lr * gradient[d])));
if (settings.optimizer === 'sgd') check(inspect.rows.every(moved), 'each row that is shown moves by lr times its gradient');
check((await ask('inspect', {position: 5})).inspect.place === inspect.place, 'the places of the last batch are kept');
const result = await ask('run', {until: steps});
const all = await ask('digest');
for (const [what, prefix] of [['', ''], ['Sum', 'optimizer.']]) {
  const native = (key) => tensor(prefix + key + (prefix && '.sum'));
  const linear = Buffer.concat([native('linear.weight'), native('linear.bias')]);
  check(Buffer.compare(native('embedding.weight'), all['embedding' + what]) === 0, `embedding${what} has the native bytes`);
  check(Buffer.compare(linear, all['linear' + what]) === 0, `linear${what} has the native bytes`);
}
const log = readFileSync(`${folder}/loss.csv`, 'utf8').trim().split('\n').slice(1).map((line) => line.split(','));
const best = Math.min(...log.map((row) => Number(row[4]))).toFixed(6);
check(result.best.toFixed(6) === best, 'the validation loss', `${result.best.toFixed(6)} instead of ${best}`);
const prompt = 'The fox', written = execFileSync('./sample', ['-m', `${folder}/model.safetensors`, '-n', 300, '-s', 7, prompt]);
check(`${prompt}${(await ask('sample', {prompt, n: 300, seed: 7})).text}\n` === written.toString(), 'a sample is ./sample\'s');
process.exit();
