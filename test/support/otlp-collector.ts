import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as OTLP's JSON has it, flattened. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 2 is an error. */
  readonly statusCode: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly events: readonly { readonly name: string; readonly atMs: number }[];
  readonly service: string | undefined;
}

interface RawValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
}
interface RawAttribute {
  readonly key: string;
  readonly value: RawValue;
}
interface RawSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code?: number };
  readonly attributes?: readonly RawAttribute[];
  readonly events?: readonly { readonly name: string; readonly timeUnixNano: string }[];
}
interface RawBody {
  readonly resourceSpans: readonly {
    readonly resource?: { readonly attributes?: readonly RawAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

const valueOf = ({ stringValue, intValue, doubleValue }: RawValue): string | number =>
  stringValue ?? Number(intValue ?? doubleValue);
const attributesOf = (raw: readonly RawAttribute[] = []): Record<string, string | number> =>
  Object.fromEntries(raw.map(({ key, value }) => [key, valueOf(value)]));
const milliseconds = (nanoseconds: string): number => Number(BigInt(nanoseconds) / 1_000_000n);

/** An OTLP/HTTP collector in this process. */
export class OtlpCollector {
  readonly spans: CollectedSpan[] = [];
  /** Everything that was posted, as it came. */
  readonly bodies: string[] = [];
  /** What it answers with; `hang` never answers. */
  mode: number | 'hang' = 200;
  requests = 0;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<OtlpCollector> {
    const server = createServer();
    const collector = new OtlpCollector(server);
    server.on('request', (request, response) => {
      collector.requests += 1;
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (collector.mode === 'hang') return;
        if (collector.mode === 200) collector.take(Buffer.concat(chunks).toString());
        response.writeHead(collector.mode, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private take(text: string): void {
    this.bodies.push(text);
    const { resourceSpans } = JSON.parse(text) as RawBody;
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = attributesOf(resource?.attributes)['service.name'];
      for (const raw of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          traceId: raw.traceId,
          spanId: raw.spanId,
          parentSpanId: raw.parentSpanId === '' ? undefined : raw.parentSpanId,
          name: raw.name,
          startMs: milliseconds(raw.startTimeUnixNano),
          endMs: milliseconds(raw.endTimeUnixNano),
          statusCode: raw.status?.code ?? 0,
          attributes: attributesOf(raw.attributes),
          events: (raw.events ?? []).map(({ name, timeUnixNano }) => ({
            name,
            atMs: milliseconds(timeUnixNano),
          })),
          service: service === undefined ? undefined : String(service),
        });
      }
    }
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
