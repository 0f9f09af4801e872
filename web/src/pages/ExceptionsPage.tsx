import { useState } from 'react';
import { Link, useSearchParams } from 'react-router-dom';
import { visible, when } from '../format.js';
import { AskException } from '../finding/AskException.js';
import { ExceptionActs } from '../finding/ExceptionActs.js';
import { KINDS, type Exception } from '../finding/exceptions.js';
import { Places } from '../finding/Places.js';
import { ShowMore } from '../parts/ShowMore.js';
import { State } from '../parts/State.js';
import { usePages } from '../parts/usePages.js';
import { useMay } from '../parts/useSession.js';

const LISTS = {
  counting: { name: 'In force or asked for', state: 'REQUESTED,IN_FORCE' },
  over: { name: 'Over', state: 'REFUSED,WITHDRAWN,EXPIRED,EXTENDED' },
} as const;

/** What two people agreed not to count. */
export function ExceptionsPage() {
  const [search, setSearch] = useSearchParams();
  const finding = search.get('finding') ?? '';
  const list = search.get('list') === 'over' ? 'over' : 'counting';
  const [isAsking, setAsking] = useState(finding !== '');
  const may = useMay('analyst', 'author');
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<Exception>(
    '/api/v1/exceptions',
    { state: LISTS[list].state, limit: '50' },
  );
  return (
    <section>
      <title>Exceptions · Sallyport</title>
      <div className="heading">
        <h1>Exceptions</h1>
        <Places />
        {may ? (
          <button type="button" className={isAsking ? '' : 'primary'} onClick={() => setAsking(!isAsking)}>
            {isAsking ? 'Not now' : 'Ask for an exception'}
          </button>
        ) : null}
      </div>
      <p className="quiet">
        Findings that two people agree not to count, for a time. At its end, whatever it answered for is
        scanned again.
      </p>
      {may && isAsking ? (
        <AskException key={finding} finding={finding} onAsked={() => setAsking(false)} />
      ) : null}
      <div className="filters">
        <label>
          Which
          <select
            value={list}
            onChange={({ target }) => setSearch(target.value === 'over' ? { list: 'over' } : {})}
          >
            {Object.entries(LISTS).map(([key, { name }]) => (
              <option key={key} value={key}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      {error === null ? null : <p className="problem">{error.message}</p>}
      {items === undefined ? null : items.length === 0 ? (
        <p className="card quiet">
          {list === 'over' ? 'None is over yet.' : 'None: every finding counts as it was found.'}
        </p>
      ) : (
        <table>
          <thead>
            <tr>
              <th>What it answers for</th>
              <th>State</th>
              <th>Until</th>
              <th>Asked by</th>
              <th>Agreed by</th>
              {may && list === 'counting' ? <th>Change it</th> : null}
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <tr key={one.id}>
                <td>
                  {visible(one.target)} <div className="quiet">{visible(one.reason)}</div>
                </td>
                <td className="word">
                  <State of={one.state} /> <div className="quiet">{KINDS[one.kind]}</div>
                </td>
                <td className="when">
                  {when(one.expiresAt)}
                  {one.endedAt === null ? null : (
                    <div className="quiet">
                      over since {when(one.endedAt)}
                      {one.endReason === null ? '' : `: ${visible(one.endReason)}`}
                    </div>
                  )}
                </td>
                <td className="when">
                  {visible(one.requestedBy.name)} <div className="quiet">{when(one.requestedAt)}</div>
                </td>
                <td className="when">
                  {one.decidedBy === null ? (
                    one.state === 'REQUESTED' ? (
                      <Link to="/reviews?view=all&queue=exceptions">waits for somebody</Link>
                    ) : (
                      '–'
                    )
                  ) : (
                    <>
                      {visible(one.decidedBy.name)} <div className="quiet">{when(one.decidedAt)}</div>
                    </>
                  )}
                </td>
                {may && list === 'counting' ? (
                  <td>
                    <ExceptionActs exception={one} />
                  </td>
                ) : null}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
    </section>
  );
}
