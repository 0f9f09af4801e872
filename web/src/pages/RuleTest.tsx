import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { call } from '../api.js';
import { size, visible } from '../format.js';
import { Field } from '../parts/Fields.js';
import { Problem } from '../parts/Problem.js';
import { State } from '../parts/State.js';
import { EVENT_KINDS, rulePath, type TestResult } from '../triggers.js';
import { recordOf } from './lines.js';

/** Which rule wins for an object, and of each one why. Starts nothing. */
export function RuleTest() {
  const [url, setUrl] = useState('');
  const [bytes, setBytes] = useState('');
  const [contentType, setContentType] = useState('');
  const [tags, setTags] = useState('');
  const [kind, setKind] = useState('created');
  const test = useMutation({
    mutationFn: async () => {
      // No URL parser may see it: everything after the bucket is the key.
      const [, bucket, key] = /^s3:\/\/([^/]+)\/([^]+)$/i.exec(url) ?? [];
      if (bucket === undefined) throw new Error('Write the object as s3://bucket/key.');
      return call<TestResult>('/api/v1/triggers/test', {
        method: 'POST',
        body: {
          bucket,
          key,
          kind,
          ...(bytes.trim() !== '' && { sizeBytes: Number(bytes) }),
          ...(contentType.trim() !== '' && { contentType: contentType.trim() }),
          ...(tags.trim() !== '' && { tags: recordOf(tags) }),
        },
      });
    },
  });
  return (
    <form
      className="card form"
      onSubmit={(event) => {
        event.preventDefault();
        test.mutate();
      }}
    >
      <Field label="Object" hint="It need not be there; when it is, it is asked for what you leave out.">
        <input
          value={url}
          required
          placeholder="s3://bucket/key"
          spellCheck={false}
          autoCapitalize="none"
          onChange={(event) => setUrl(event.target.value)}
        />
      </Field>
      <details>
        <summary>Say more of the upload</summary>
        <div className="cols">
          <Field label="Size in bytes">
            <input value={bytes} inputMode="numeric" onChange={(event) => setBytes(event.target.value)} />
          </Field>
          <Field label="Type">
            <input
              value={contentType}
              placeholder="application/zip"
              spellCheck={false}
              onChange={(event) => setContentType(event.target.value)}
            />
          </Field>
          <Field label="Event">
            <select value={kind} onChange={(event) => setKind(event.target.value)}>
              {EVENT_KINDS.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </Field>
          <Field label="Tags" hint="name=value, one a line.">
            <textarea
              rows={2}
              value={tags}
              spellCheck={false}
              onChange={(event) => setTags(event.target.value)}
            />
          </Field>
        </div>
      </details>
      <div className="row">
        <button type="submit" disabled={test.isPending}>
          Which rule wins?
        </button>
      </div>
      <Problem error={test.error} />
      {test.data === undefined ? null : <Answer result={test.data} />}
    </form>
  );
}

function Answer({ result: { decision, rules, notes, upload } }: { result: TestResult }) {
  return (
    <div role="status">
      <p className="question">
        {decision.rule === 'no_rule_matched' ? (
          'No rule matches: it would be skipped.'
        ) : (
          <>
            <Link to={rulePath(decision.rule)}>{decision.rule}</Link> wins:{' '}
            {decision.kind === 'skip'
              ? 'it would be skipped.'
              : `it would start ${decision.workflow}${decision.version === undefined ? '' : ` v${decision.version}`} with priority ${decision.priority}.`}
          </>
        )}
      </p>
      <p className="quiet">
        Asked about size {upload.sizeBytes === null ? 'unknown' : size(upload.sizeBytes)}, type{' '}
        {upload.contentType ?? 'unknown'}, tags{' '}
        {upload.tags === null ? 'unknown' : visible(JSON.stringify(upload.tags))}.
      </p>
      {notes.map((note) => (
        <p key={note} className="quiet">
          {visible(note)}
        </p>
      ))}
      {decision.input === undefined ? null : <pre>{visible(JSON.stringify(decision.input, null, 1))}</pre>}
      <table>
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">Outcome</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <tr key={rule.rule}>
              <td>{rule.rule}</td>
              <td>
                <State of={rule.outcome} />
              </td>
              <td>{visible(rule.why)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
