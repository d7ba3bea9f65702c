// What a person does with docs/playground.html, done in headless Chromium. Usage: node playground_page.mjs PAGE NPM OUT LOSS,
// where NPM holds node_modules with puppeteer-core and axe-core, OUT is a folder for files, and LOSS is what ./train says of
// the default on data/text.txt. Prints ok and FAIL lines, and notes with figures.
import {readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

const [page, npm, out, wholeLoss] = process.argv.slice(2);
const require = createRequire(path.resolve(npm, 'x.js')), puppeteer = require('puppeteer-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const url = 'file://' + path.resolve(page), small = '#text=fables&order=1&dim=10&seed=1&epochs=2';
const smallLoss = '2.480694'; // ./train --order 1 --dim 10 --seed 1 --epochs 2 data/text.txt
const browser = await puppeteer.launch({executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox']});
process.on('uncaughtException', async (error) => {
  check(false, 'the test comes to its end', error.message);
  await browser.close();
  process.exit(1);
});
const problems = []; // of any tab: messages in the console, requests

const check = (good, what, why = 'it does not hold') => console.log(good ? `ok ${what}` : `FAIL ${what}: ${why}`);

// A new tab with the page at this place.
async function open(hash, size = {width: 1280, height: 900}, features = []) {
  const tab = await browser.newPage();
  tab.on('console', (message) => problems.push(`console: ${message.text()}`));
  tab.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  tab.on('request', (request) => /^(blob|data):/.test(request.url()) || request.isNavigationRequest() || problems.push(`request: ${request.url()}`));
  await tab.setViewport(size);
  await tab.emulateMediaFeatures(features);
  await tab.goto(url + hash);
  return tab;
}

const text = (tab, id) => tab.$eval('#' + id, (element) => element.textContent);

// Waits until an element's text passes a test (a function of the text); returns the text in any case.
async function wait(tab, id, test, seconds = 60) {
  await tab.waitForFunction(`(${test})(document.getElementById('${id}').textContent)`, {timeout: 1000 * seconds, polling: 50}).catch(() => 0);
  return text(tab, id);
}

async function ends(tab, loss, what, seconds) {
  const found = await wait(tab, 'val-loss', `(text) => text === '${loss}'`, seconds);
  check(found === loss, what, `val-loss is "${found}" instead of ${loss}: ${await text(tab, 'notice')}`);
}

async function says(tab, words, what, seconds) {
  const found = await wait(tab, 'notice', `(text) => ${words}.test(text)`, seconds);
  check(words.test(found), what, `it says "${found}"`);
  console.log(`note it says: ${found}`);
}

// Puts a text of one's own in, as a person pastes it.
async function paste(tab, own) {
  await tab.waitForSelector('#bar:not([hidden])');
  await tab.select('#settings [name=text]', 'own');
  await tab.$eval('#own-text', (field, value) => { field.value = value; }, own);
  await tab.click('#own-use');
}

async function drop(tab, name, own) {
  const file = path.join(out, name);
  writeFileSync(file, own);
  await tab.waitForSelector('#bar:not([hidden])');
  await tab.select('#settings [name=text]', 'own');
  await (await tab.$('#own-file')).uploadFile(file);
}

async function looksClean(tab, what) {
  await tab.evaluate(axe);
  const {violations} = await tab.evaluate(() => window.axe.run());
  const found = violations.map((one) => `${one.id} (${one.nodes.length}, ${one.nodes[0].html.slice(0, 90)})`);
  check(!found.length, `axe-core finds nothing: ${what}`, found.join('; '));
}

// ---- it trains to the known losses, in time

let tab = await open('');
await tab.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length);
const painted = await tab.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
await looksClean(tab, 'as it opens');
await tab.close();
// Milliseconds from the start of the page to the end of the run, by the page's own clock.
async function timed(hash, loss, what) {
  const tab = await open(hash);
  await ends(tab, loss, what);
  const took = await tab.evaluate(() => performance.now());
  return [tab, took];
}
let took, whole;
[tab, took] = await timed(small + '&run', smallLoss, "the notebook's model trains to ./train's loss");
await looksClean(tab, 'trained');

// ---- slider and keys, on this run

const last = await text(tab, 'moment');
await tab.focus('#slider');
for (const [key, test, what] of [['Home', `!== '${last}'`, 'the slider goes to the start'], ['End', `=== '${last}'`, 'and back to the end']]) {
  await tab.keyboard.press(key);
  await wait(tab, 'moment', `(text) => text ${test}`, 5);
  check((await text(tab, 'moment') === last) === (key === 'End'), what, await text(tab, 'moment'));
}
await tab.focus('#again');
await tab.keyboard.press('Enter');
await wait(tab, 'val-loss', `(text) => text !== '${smallLoss}'`);
await tab.focus('#step');
await tab.keyboard.press('Enter');
await tab.waitForSelector('#inspect:not([hidden])', {timeout: 10000}).catch(() => 0);
check(await tab.$eval('#inspect', (part) => !part.hidden && part.textContent.length > 100), 'one step by the keyboard shows one batch');
await tab.waitForFunction(() => document.querySelector('#chain li'));
const apart = await text(tab, 'chain');
await tab.focus('#place-on');
await tab.keyboard.press('Enter');
await tab.waitForFunction((before) => document.getElementById('chain').textContent !== before, {timeout: 10000}, apart).catch(() => 0);
check(await text(tab, 'chain') !== apart && await tab.$eval('#place', (field) => field.value) === '2', 'and leafs through its places');
await tab.close();
tab = await open(small);
await tab.waitForSelector('#bar:not([hidden])');
const reached = new Set();
for (let i = 0; i < 60; i++) {
  await tab.keyboard.press('Tab');
  reached.add(await tab.evaluate(() => document.activeElement.id || document.activeElement.name || document.activeElement.closest('[id]')?.id));
}
const wanted = ['text', 'order', 'freeze', 'play', 'step', 'again', 'slider', 'prompt', 'map'];
check(wanted.every((id) => reached.has(id)), 'Tab reaches every control', `not ${wanted.filter((id) => !reached.has(id))}`);
await tab.close();

[tab, whole] = await timed('#text=fables&order=4&run', wholeLoss, "the whole default trains to ./train's loss");
await tab.close();
const inTime = painted <= 500 && took <= painted + 500 && whole <= painted + 4000;
console.log(`${inTime ? 'note' : 'over'} first paint ${painted.toFixed(0)} ms, the notebook's model trained after ${took.toFixed(0)} ms, the default after ${whole.toFixed(0)} ms`);

// ---- texts of one's own

tab = await open(small);
const odd = '<b>bold</b> &amp; <script>alert(1)</script> <img src=x onerror=alert(1)> Käse, Öl, Straße, naïve — “quoted” …\n';
await paste(tab, odd.repeat(40));
await says(tab, /became ASCII/, 'a text with <, & and umlauts is read as ./train reads it');
await tab.click('#play');
await wait(tab, 'sample', '(text) => text.length > 50');
check(await tab.evaluate(() => !document.querySelector('main img, main b[onclick], main script')), 'its tags stay text');
await tab.close();

tab = await open(small);
const fables = readFileSync('data/text.txt');
await drop(tab, 'two.txt', Buffer.concat(Array(13).fill(fables)).subarray(0, 2000000));
await wait(tab, 'val-loss', '(text) => text > "0"');
await tab.select('#speed', 'full').catch(() => 0);
await tab.click('#play');
await wait(tab, 'val-loss', '(text) => text > "2" && text < "2.6"');
check(/^2\.[45]/.test(await text(tab, 'val-loss')), 'a file of 2 MB trains', await text(tab, 'val-loss'));
await tab.close();

tab = await open('#text=fables&order=7&dim=4096');
await says(tab, /^out of memory: .*; try a smaller/, 'too large a model is one clear sentence');
await tab.close();
tab = await open('#text=fables&order=1&dim=0');
await says(tab, /whole number from 1/, 'so is a wrong setting');
await tab.close();
tab = await open(small);
await paste(tab, 'a');
await says(tab, /too short \(1 character/, 'so is a text of one character');
await paste(tab, 'a'.repeat(500));
await says(tab, /one character over and over/, 'and a text that repeats one character');
await paste(tab, 'Привет, мир! '.repeat(40));
await says(tab, /is not text in Latin letters/, 'and a text in other letters');
await tab.close();

// ---- in the background, in the dark, on a phone

tab = await open(small);
await wait(tab, 'val-loss', '(text) => text'); // the page has put its settings into the address
const front = await browser.newPage();
await front.goto('about:blank');
await front.bringToFront();
await tab.goto(url + small + '&run');
await tab.reload();
await ends(tab, smallLoss, 'it trains in a tab in the background');
await front.close();
await tab.close();
for (const width of [360, 768, 1440]) {
  tab = await open(small + '&run', {width, height: 800, isMobile: width < 500}, [
    {name: 'prefers-color-scheme', value: 'dark'}, {name: 'prefers-reduced-motion', value: 'reduce'}]);
  await ends(tab, smallLoss, `dark and without motion, ${width} wide: it trains`);
  await looksClean(tab, `dark, ${width} wide`);
  check(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `nothing runs over the edge, ${width} wide`);
  await tab.close();
}

check(!problems.length, 'nothing in the console, no request', problems.slice(0, 5).join('; '));
await browser.close();
