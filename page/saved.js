'use strict';
/* A saved run: ./embed report wrote its snapshots into #data, loss.csv and the settings into the page. */

function savedRun() {
  const data = JSON.parse($('data').textContent),
    last = data.snapshots[data.snapshots.length - 1];
  const known = data.counts.some((count) => count > 0); /* a file without counts: all are taken for seen */
  const run = newRun(data.dim, known ? data.counts : data.counts.map(() => 1), last.step);
  run.count = data.counts;
  run.moved = (id) => data.moved && data.moved[id];
  run.still = data.moved && data.moved.filter((moved) => moved === 0).length;
  run.frames = data.snapshots.map(({step, rows}) => ({step, table: Float32Array.from(rows, (x) => data.unit * x)}));
  return run;
}

/* loss.csv: step, epoch, chars, train_loss, val_loss, ... */
function savedLog() {
  return $('log')
    .textContent.trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number))
    .filter((row) => row.length === 8 && row.every(isFinite) && row.every((x) => x >= 0 && x < 1e15))
    .map((row) => ({step: row[0], train: row[3], val: row[4]}));
}

function setting(key) {
  const found = new RegExp(`^${key} +(.*)$`, 'm').exec($('settings').textContent);
  return found ? parseFloat(found[1]) : -1;
}

/* report.html#5 shows the sixth snapshot; without a number, or beyond the last, the last. */
function showHash() {
  const wantedMoment = parseInt(location.hash.slice(1), 10);
  stopReplay();
  show(isNaN(wantedMoment) ? lastMoment(shown.run) : wantedMoment);
}

(() => {
  const run = savedRun();
  run.log = savedLog();
  if (run.log.length) run.steps = Math.max(run.steps, run.log[run.log.length - 1].step);
  run.baselines = [
    ['knows nothing', Math.log(100)],
    ['frequencies', setting('unigram_entropy')],
    ['pairs', setting('conditional_entropy')],
  ]
    .filter(([, loss]) => loss > 0)
    .map(([name, loss]) => ({name, loss}));
  showRun(run);
  if (run.log.length < 2) {
    $('curve').remove();
    $('losses').textContent = 'No curve: there is no loss.csv of a run beside the model.';
  }
  if (lastMoment(run) === 0) $('bar').hidden = true;
  showMoves();
  $('still').textContent =
    run.still === undefined
      ? "The run started from another model's rows, so how far they moved is not known."
      : `${run.still} rows of characters did not move by one bit.`;
  $('slider').addEventListener('input', (event) => {
    stopReplay();
    show(+event.target.value);
  });
  $('play').addEventListener('click', () => (player ? stopReplay() : replay()));
  addEventListener('hashchange', showHash);
  showHash();
})();
