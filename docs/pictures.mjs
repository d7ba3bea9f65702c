// The pictures of the page in docs/pictures, light and dark: of docs/playground.html after a run, and of a saved run.
//
//     ./train data/text.txt && ./embed report
//     npm install --prefix build/npm puppeteer-core && node docs/pictures.mjs build/npm out/report.html
//
// It needs Debian's chromium, and ImageMagick's convert, which makes the files small.
import {execFileSync} from 'node:child_process';
import {createRequire} from 'node:module';
import path from 'node:path';

const [npm, report] = process.argv.slice(2);
const puppeteer = createRequire(path.resolve(npm, 'x.js'))('puppeteer-core');
const browser = await puppeteer.launch({executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox']});

// One picture: what is seen of this address, from its element `from` on, after what is to happen has happened.
async function take(url, name, theme, height, from, happens) {
  const tab = await browser.newPage();
  await tab.setViewport({width: 1280, height});
  await tab.emulateMediaFeatures([{name: 'prefers-color-scheme', value: theme}]);
  await tab.goto(url);
  await happens(tab);
  await tab.$eval(from, (element) => scrollTo(0, scrollY + element.getBoundingClientRect().top - 16));
  await new Promise((done) => setTimeout(done, 500));
  const file = `docs/pictures/${name}-${theme}.png`;
  await tab.screenshot({path: file});
  execFileSync('convert', [file, '+dither', '-colors', '96', `PNG8:${file}`]);
  await tab.close();
}

const batch = (tab) => tab.$eval('#moment', (output) => Number(output.textContent.replace(/\D/g, '')));

async function run(tab) {
  await tab.waitForFunction(() => document.getElementById('val-loss').textContent);
  await tab.click('#play');
  await tab.mouse.move(5, 5);
  while (await batch(tab) < 700) await new Promise((done) => setTimeout(done, 50));
}

for (const theme of ['light', 'dark']) {
  await take('file://' + path.resolve('docs/playground.html'), 'playground', theme, 800, '#setup', run);
  await take('file://' + path.resolve(report), 'report', theme, 1000, 'main', async () => {});
}
await browser.close();
