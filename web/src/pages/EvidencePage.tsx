import { EventsTable } from '../evidence/EventsTable.js';
import { PopulationsCard } from '../evidence/PopulationsCard.js';
import { RecordCard } from '../evidence/RecordCard.js';
import { SampleCard } from '../evidence/SampleCard.js';

/** What an auditor takes out of the service, and what it rests on. */
export function EvidencePage() {
  return (
    <section>
      <title>Evidence · Sallyport</title>
      <div className="heading">
        <h1>Evidence</h1>
      </div>
      <div className="cols">
        <PopulationsCard />
        <SampleCard />
      </div>
      <RecordCard />
      <EventsTable />
    </section>
  );
}
