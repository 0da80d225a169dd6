// Writes the metrics in the text format of Prometheus; what it needs for that is loaded when somebody first asks.

import type { Registry } from 'prom-client'
import { METRICS, type Metric, type MetricSources } from './metric.ts'

export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
}

export async function metrics(from: MetricSources): Promise<Metrics> {
  const { Registry } = await import('prom-client')
  const registry = new Registry()
  for (const metric of METRICS) registry.registerMetric(read(metric, from))
  return { contentType: registry.contentType, text: () => registry.metrics() }
}

type Registered = Parameters<Registry['registerMetric']>[0]

/** The numbers are ours; the registry asks for them when it writes. */
function read({ name, type, en, read: samples }: Metric, from: MetricSources): Registered {
  const get = async () => ({ name, type, help: en, aggregator: 'sum', values: Array.from(samples(from), labelled) })
  return { name, help: en, get } as unknown as Registered // all that a registry asks of a metric
}

const labelled = <S extends { labels?: object }>(sample: S) => ({ labels: {}, ...sample })
