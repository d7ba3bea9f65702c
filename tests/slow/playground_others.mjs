// docs/playground.html in Firefox (by puppeteer-core) and in WebKit, Safari's engine (by its WebDriver, on a virtual screen):
// it trains to the known loss. Usage: node playground_others.mjs PAGE NPM. A browser that is not here is a skip line.
import {spawn} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

const [page, npm] = process.argv.slice(2), loss = '2.480694';
const url = `file://${path.resolve(page)}#text=fables&order=1&dim=10&seed=1&epochs=2&run`;
const puppeteer = createRequire(path.resolve(npm, 'x.js'))('puppeteer-core');
const script = "return document.getElementById('val-loss').textContent + '|' + document.getElementById('notice').textContent";

// look() gives "loss|notice" of the page.
async function trains(name, look) {
  let seen = '';
  for (const end = Date.now() + 30000; Date.now() < end && !seen.startsWith(loss); await sleep(100)) seen = await look();
  console.log(seen.startsWith(loss) ? `ok ${name}: it trains to ./train's loss` : `FAIL ${name}: it trains: it shows ${seen}`);
}

const firefox = '/usr/bin/firefox-esr';
if (existsSync(firefox)) {
  const browser = await puppeteer.launch({browser: 'firefox', executablePath: firefox});
  try {
    const tab = await browser.newPage();
    await tab.goto(url);
    await trains('Firefox', () => tab.evaluate(new Function(script)));
  } finally {
    await browser.close();
  }
} else {
  console.log('skip the playground in Firefox: install firefox-esr');
}

const place = '/usr/lib/' + (readdirSync('/usr/lib').find((name) => existsSync(`/usr/lib/${name}/webkit2gtk-4.1/MiniBrowser`)));
if (existsSync('/usr/bin/WebKitWebDriver') && existsSync(place) && existsSync('/usr/bin/Xvfb')) {
  const env = {...process.env, DISPLAY: ':93', WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', WEBKIT_DISABLE_COMPOSITING_MODE: '1'};
  const programs = [spawn('Xvfb', [':93'], {stdio: 'ignore'}), spawn('WebKitWebDriver', ['--port=4455'], {stdio: 'ignore', env})];
  const ask = async (method, what, body) => {
    const answer = await fetch('http://127.0.0.1:4455/session' + what, {method, body: body && JSON.stringify(body)});
    return (await answer.json()).value;
  };
  try {
    await sleep(2000);
    const options = {binary: `${place}/webkit2gtk-4.1/MiniBrowser`, args: ['--automation']};
    const {sessionId} = await ask('POST', '', {capabilities: {alwaysMatch: {'webkitgtk:browserOptions': options}}});
    await ask('POST', `/${sessionId}/url`, {url});
    await trains('WebKit', () => ask('POST', `/${sessionId}/execute/sync`, {script, args: []}));
    await ask('DELETE', `/${sessionId}`);
  } finally {
    programs.forEach((program) => program.kill());
  }
} else {
  console.log('skip the playground in WebKit: install webkit2gtk-driver and xvfb');
}
process.exit();
