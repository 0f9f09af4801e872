// The page of the stand-in. The server draws; this shows what it drew, keeps what somebody is typing, and says what
// they click.

const at = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const state = {
  as: asked.get('as') ?? '',
  place: asked.get('in') ?? '',
  thread: undefined,
  modal: undefined,
};
const drawn = new Map();

function show(id, html) {
  if (drawn.get(id) === html) return false;
  drawn.set(id, html);
  draw(at(id), html);
  return true;
}

function draw(place, html) {
  place.innerHTML = html;
  for (const field of place.querySelectorAll('[data-seconds]')) showMoment(field, field.dataset.seconds);
}

/** A moment, in seconds, as the hour that it is here. */
function showMoment(field, seconds) {
  if (seconds === '') return;
  const moment = new Date(Number(seconds) * 1000);
  field.value = new Date(moment - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

let turn = 0;
async function refresh() {
  const mine = ++turn;
  const response = await fetch(`/page/screen?${new URLSearchParams({ as: state.as, in: state.place })}`);
  const screen = await response.json();
  // A later look has begun; it shows what is newer.
  if (mine !== turn) return;
  const hasMoved = state.place !== screen.place || state.as !== screen.as;
  Object.assign(state, { as: screen.as, place: screen.place });
  history.replaceState(
    null,
    '',
    `?${new URLSearchParams({ as: state.as, in: state.place })}${location.hash}`,
  );
  show('side', screen.side);
  at('title').textContent = screen.title;
  document.title = `${screen.title} · Stand-in chat`;
  at('composer').hidden = !screen.canWrite;
  const list = at('messages');
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  if (show('messages', screen.main) && (isAtEnd || hasMoved) && state.place !== 'home')
    list.scrollTop = list.scrollHeight;
  showModal(screen.modal);
}

function showModal(modal) {
  const dialog = at('modal');
  if (modal === null) {
    state.modal = undefined;
    if (dialog.open) dialog.close();
    return;
  }
  const key = `${modal.id}/${modal.hash}`;
  if (state.modal !== key) {
    const isSame = state.modal?.startsWith(`${modal.id}/`) === true;
    const typed = isSame ? collect(dialog) : {};
    draw(dialog, modal.html);
    if (isSame) restore(dialog, typed);
    state.modal = key;
  }
  if (!dialog.open) dialog.showModal();
}

/** What is filled in, by block and action. */
function collect(form) {
  const values = {};
  for (const field of form.querySelectorAll('.field')) {
    const { block, action } = field.dataset;
    values[block] = { ...values[block], [action]: valueOf(field) };
  }
  return values;
}

function valueOf(field) {
  const { type } = field.dataset;
  if (type === 'checkboxes') return [...field.querySelectorAll('input:checked')].map((box) => box.value);
  if (type === 'radio_buttons') return field.querySelector('input:checked')?.value ?? null;
  if (type === 'datetimepicker' && field.value !== '') return new Date(field.value).getTime() / 1000;
  if (field.multiple) return [...field.selectedOptions].map((option) => option.value);
  return field.value === '' ? null : field.value;
}

function restore(form, values) {
  for (const field of form.querySelectorAll('.field')) {
    const value = values[field.dataset.block]?.[field.dataset.action];
    if (value === undefined || value === null) continue;
    const chosen = [value].flat();
    for (const box of field.querySelectorAll('input')) box.checked = chosen.includes(box.value);
    for (const option of field.options ?? []) option.selected = chosen.includes(option.value);
    if (field.dataset.seconds !== undefined) showMoment(field, value);
    else if (field.matches('input, textarea')) field.value = value;
  }
}

let toastEnds;
function say(problem) {
  const toast = at('toast');
  toast.textContent = problem;
  toast.hidden = false;
  clearTimeout(toastEnds);
  toastEnds = setTimeout(() => (toast.hidden = true), 8000);
}

async function act(what, button) {
  if (button) button.disabled = true;
  try {
    const response = await fetch('/page/act', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ as: state.as, ...what }),
    });
    const { problem, problems } = response.ok ? await response.json() : { problem: await response.text() };
    if (problem) say(problem);
    showProblems(problems ?? {});
  } catch {
    say('The stand-in does not answer. Is it still running?');
  } finally {
    if (button) button.disabled = false;
  }
  await refresh();
}

function showProblems(problems) {
  for (const place of at('modal').querySelectorAll('[data-problem]')) {
    const problem = problems[place.dataset.problem];
    place.textContent = problem ?? '';
    place.hidden = problem === undefined;
  }
}

/** Where in the page something is, in the words of an act. */
function whereOf(element, verb) {
  const { action, block } = element.dataset;
  if (element.closest('dialog')) return { kind: `${verb}In`, action, block };
  const message = element.closest('.message');
  if (message === null) return { kind: `${verb}Home`, action, block };
  return { kind: verb, channel: state.place, ts: message.dataset.ts, action, block };
}

function go(place) {
  state.place = place;
  state.thread = undefined;
  at('thread').hidden = true;
  if (place === 'home') void act({ kind: 'home' });
  else void refresh();
}

document.addEventListener('click', (event) => {
  const target = event.target.closest('button, a');
  if (target === null) return;
  const { place, reply, close, confirm: question } = target.dataset;
  if (place !== undefined) return go(place);
  if (close !== undefined) return void act({ kind: 'close' }, target);
  if (target.id === 'leave-thread' || reply !== undefined) {
    state.thread = reply;
    at('thread').hidden = reply === undefined;
    at('words').focus();
    return;
  }
  if (target.dataset.action === undefined) return;
  if (question !== undefined && !confirm(question)) {
    event.preventDefault();
    return;
  }
  void act(
    { ...whereOf(target, 'click'), value: target.dataset.value },
    target.matches('button') ? target : undefined,
  );
});

document.addEventListener('change', (event) => {
  if (event.target.id === 'as') {
    state.as = event.target.value;
    return go(state.place);
  }
  const field = event.target.closest('.field');
  // What belongs to a form is sent with the form.
  if (field === null || field.closest('.input') !== null) return;
  const value = valueOf(field);
  if (value !== null) void act({ ...whereOf(field, 'select'), value });
});

document.addEventListener('submit', (event) => {
  event.preventDefault();
  if (event.target.id === 'composer') {
    const text = at('words').value.trim();
    if (text === '') return;
    at('words').value = '';
    void act({ kind: 'write', channel: state.place, thread: state.thread, text });
    return;
  }
  const values = {};
  for (const field of event.target.querySelectorAll('.input .field')) {
    const { block, action } = field.dataset;
    values[block] = { ...values[block], [action]: valueOf(field) };
  }
  void act({ kind: 'submit', values }, event.submitter);
});

// Escape closes a modal, of which the service may want to hear.
at('modal').addEventListener('cancel', (event) => {
  event.preventDefault();
  void act({ kind: 'close' });
});

new EventSource('/page/stream').addEventListener('message', () => void refresh());
if (state.place === 'home') go('home');
