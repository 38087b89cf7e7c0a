/** Senders for tests: what matters can be said, the rest is as the configuration has it by default. */
import type { SenderPlan } from '../../src/senders/directory.ts';

export function senderOf(parts: Partial<SenderPlan> & { readonly name: string }): SenderPlan {
  return {
    networks: [],
    certificates: [],
    transports: ['udp', 'tcp', 'tls'],
    isRelay: false,
    dialect: null,
    jails: null,
    confidence: null,
    rate: null,
    silence: 'learned',
    countsOld: true,
    ...parts,
  };
}
