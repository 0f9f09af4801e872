import { named } from '../blocks.js';
import { Refusal, type Json } from '../refusal.js';
import { refuseBlocks, type FakeFile } from '../workspace.js';
import { threadRoot } from './chat.js';
import type { Call, Methods } from './method.js';

const MAX_BYTES = 1024 ** 3;

/** files.*: the three steps that the SDK's files.uploadV2 takes, of which the second goes to the address of the first. */
export const files: Methods = {
  'files.getUploadURLExternal': { scope: 'files:write', tier: 4, run: address },
  'files.completeUploadExternal': { scope: 'files:write', tier: 4, run: complete },
};

function address({ workspace, args, origin }: Call): Json {
  const name = args.required('filename');
  const length = Number(args.required('length'));
  if (!Number.isInteger(length) || length < 1)
    throw Refusal.because('invalid_arguments', ['length: not a number above 0']);
  if (length > MAX_BYTES) throw new Refusal('file_upload_size_restricted');
  const file = workspace.addFile(name, length);
  return { ok: true, upload_url: `${origin}/upload/${file.id}`, file_id: file.id };
}

function complete(call: Call): Json {
  const { workspace, args } = call;
  args.required('files');
  const done = (args.list('files') ?? []).map((entry): FakeFile => {
    const file = workspace.files.get(String(entry['id']));
    if (file === undefined || file.isComplete) throw new Refusal('file_not_found');
    // Slack refuses what never came.
    if (file.content === undefined) throw new Refusal('file_update_failed');
    if (typeof entry['title'] === 'string') file.title = entry['title'];
    return file;
  });
  share(call, done);
  for (const file of done) file.isComplete = true;
  workspace.onChange();
  return { ok: true, files: done.map(({ id, name, title, length }) => ({ id, name, title, size: length })) };
}

function share({ workspace, args }: Call, done: readonly FakeFile[]): void {
  const id = args.text('channel_id');
  if (id === undefined) return;
  const channel = workspace.channelForApp(id);
  if (channel.archived) throw new Refusal('is_archived');
  if (!channel.botIsMember) throw new Refusal('not_in_channel');
  const blocks = args.blocks() ?? [];
  refuseBlocks(blocks);
  const threadTs = threadRoot(workspace, channel, args.text('thread_ts'));
  workspace.post(channel, {
    text: args.text('initial_comment') ?? '',
    blocks: named(blocks),
    threadTs,
    files: done.map((file) => file.id),
  });
}
