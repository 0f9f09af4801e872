import { useQuery } from '@tanstack/react-query';
import { count, visible, when } from '../format.js';
import { eventQueuesQuery } from '../queue.js';
import { Query } from './Query.js';
import { State } from './State.js';

/** The queues that events come from, as somebody last asked them; they are steered in SQS and by the command line. */
export function EventQueues() {
  const queues = useQuery(eventQueuesQuery);
  return (
    <>
      <h2>Event queues</h2>
      <Query of={queues}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="quiet">
              None: SQS_QUEUE_URLS names none, so events come by webhook (POST /events/s3) or from SNS.
            </p>
          ) : (
            <table>
              <thead>
                <tr>
                  <th scope="col">Queue</th>
                  <th scope="col">State</th>
                  <th scope="col" className="number">
                    Waiting, about
                  </th>
                  <th scope="col" className="number">
                    Dead letters
                  </th>
                  <th scope="col">Asked</th>
                </tr>
              </thead>
              <tbody>
                {items.map((queue) => (
                  <tr key={queue.name}>
                    <td>
                      {visible(queue.name)}
                      <div className="mono">{visible(queue.url)}</div>
                    </td>
                    <td>
                      {queue.problem === null ? (
                        <State of={queue.checkedAt === null ? 'waiting' : 'ok'} />
                      ) : (
                        <>
                          <State of="fail" /> {visible(queue.problem)}
                          {queue.remedy === null ? null : (
                            <div>
                              <strong>To mend it:</strong> {visible(queue.remedy)}
                            </div>
                          )}
                        </>
                      )}
                    </td>
                    <td className="number">{queue.waiting === null ? '–' : count(queue.waiting)}</td>
                    <td className="number">
                      {queue.deadLetters === null || queue.deadLetterQueue === null
                        ? '–'
                        : count(queue.deadLetters)}
                      <div className="quiet">
                        {queue.deadLetterQueue === null
                          ? 'no queue for them is known'
                          : visible(queue.deadLetterQueue)}
                      </div>
                    </td>
                    <td>{queue.checkedAt === null ? 'not yet' : when(queue.checkedAt)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Query>
    </>
  );
}
