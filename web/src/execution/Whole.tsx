import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router-dom';
import { call, type Execution } from '../api.js';
import { Json } from '../parts/Json.js';

type Payloads = Pick<Execution, 'input' | 'output' | 'variables'>;

/** The run as a whole: its reason, what it belongs to, its input and output. */
export function Whole({ run }: { run: Execution }) {
  // Events carry no payloads: after a change this is asked anew, by whoever hears the event.
  const payloads = useQuery<Payloads>({
    queryKey: ['payloads', run.workflowId],
    queryFn: () => call<Payloads>(`/api/workflow/${encodeURIComponent(run.workflowId)}?includeTasks=false`),
    initialData: run,
    staleTime: Infinity,
  });
  const { input, output, variables } = payloads.data;
  return (
    <>
      <h2>The run</h2>
      <p className="quiet">Choose a step to see its input, output, attempts and times.</p>
      {run.reasonForIncompletion === undefined ? null : (
        <p className="problem">{run.reasonForIncompletion}</p>
      )}
      {run.correlationId === undefined ? null : (
        <p>
          Object: <Link to={`/objects/${run.correlationId}`}>its story</Link>
        </p>
      )}
      <Json label="Input" value={input} />
      <Json label="Output" value={output} />
      <Json label="Variables" value={variables} />
    </>
  );
}
