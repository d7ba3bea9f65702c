'use strict';
/* The story of six steps, and the claims to try: their texts are in page.html. */

let at = 0; /* the step that is shown */

function showStory() {
  const steps = [...$('steps').children];
  steps.forEach((step, i) => {
    step.hidden = i !== at;
  });
  $('story-at').textContent = `${at + 1} of ${steps.length}`;
  $('story-back').disabled = at === 0;
  $('story-on').disabled = at === steps.length - 1;
}

function turnPage(by) {
  at = clamp(at + by, 0, $('steps').children.length - 1);
  showStory();
}

function scrollToPart(id) {
  $(id).scrollIntoView({block: 'start', behavior: wantsStill() ? 'auto' : 'smooth'});
}

/* A batch is taken apart only when it was a single step. */
function showApart() {
  const ready = live.inspect || live.done ? Promise.resolve() : step();
  ready.then(() => scrollToPart('inspect-part'));
}

const deeds = {
  e: () => choose(idOf('e')),
  a: () => choose(idOf('a')),
  step,
  apart: showApart,
  play: () => play(),
  freeze: () => tryClaim('freeze=1'),
};

/* A claim changes one thing of the first settings, so that its curve stands beside theirs. */
async function tryClaim(change) {
  fillForm({...first, ...Object.fromEntries(new URLSearchParams(change))});
  if (!(await start())) return;
  scrollToPart('bar');
  play();
}

$('story-back').addEventListener('click', () => turnPage(-1));
$('story-on').addEventListener('click', () => turnPage(1));
$('steps').addEventListener('click', ({target}) => {
  if (target.dataset.do) deeds[target.dataset.do]();
});
$('claims').addEventListener('click', ({target}) => {
  if (target.dataset.set) tryClaim(target.dataset.set);
});
showStory();
