import type { BailiffEvent } from '../core/event.ts';
export type Metrics = { observe(event: BailiffEvent): void; render(): Promise<string>; contentType: string };
export function createMetrics(_options: { version: string }): Metrics {
  return { observe() {}, render: async () => '', contentType: 'text/plain' };
}
