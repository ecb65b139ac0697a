/**
 * How long requests took, as one histogram in Prometheus' text format. prom-client's own looks its
 * labels up and checks them at every observation, which takes longer than a step.
 */
const NAME = 'infragym_http_request_duration_seconds';
const HELP = 'time from the request to its reply';
/** Upper bounds of the buckets; the last bucket has none. */
const BOUNDS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];

/** The requests that have all labels in common. */
class Series {
  private readonly counts = new Array<number>(BOUNDS_S.length + 1).fill(0);
  private sum = 0;

  constructor(
    readonly method: string,
    readonly route: string,
    readonly status: number,
  ) {}

  add(seconds: number): void {
    let bucket = 0;
    while (bucket < BOUNDS_S.length && seconds > BOUNDS_S[bucket]) bucket++;
    this.counts[bucket]++;
    this.sum += seconds;
  }

  /** Buckets count what is in those before them too. */
  *lines(): Generator<string> {
    const { method, route, status } = this;
    const texts = Object.entries({ method, route, status: String(status) });
    const labels = texts.map(([name, text]) => `${name}=${JSON.stringify(text)}`).join(',');
    let count = 0;
    for (const [i, inBucket] of this.counts.entries()) {
      count += inBucket;
      yield `${NAME}_bucket{le="${BOUNDS_S[i] ?? '+Inf'}",${labels}} ${count}`;
    }
    yield `${NAME}_sum{${labels}} ${this.sum}`;
    yield `${NAME}_count{${labels}} ${count}`;
  }
}

/** The requests of one server. */
export class RequestTimes {
  /** By route: each has few methods and replies, and looking through them is quick. */
  private readonly routes = new Map<string, Series[]>();

  observe(method: string, route: string, status: number, seconds: number): void {
    this.series(method, route, status).add(seconds);
  }

  /** Lines of the format, the last one ended too. */
  text(): string {
    const lines = [...this.routes.values()].flat().flatMap((series) => [...series.lines()]);
    return [`# HELP ${NAME} ${HELP}`, `# TYPE ${NAME} histogram`, ...lines, ''].join('\n');
  }

  private series(method: string, route: string, status: number): Series {
    let known = this.routes.get(route);
    if (known === undefined) {
      known = [];
      this.routes.set(route, known);
    }
    for (const series of known) {
      if (series.status === status && series.method === method) return series;
    }
    const series = new Series(method, route, status);
    known.push(series);
    return series;
  }
}
