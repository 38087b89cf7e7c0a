/** Asks the kernel about our table, over a netlink socket of one thread. Every method blocks for microseconds. */
import { OperationalError } from '../core/errors.ts';
import { type NetlinkSocket, openNetlinkSocket } from '../native/netlink.ts';
import type { KernelElement } from './firewall.ts';
import type { BanSet } from './layout.ts';
import {
  type Attributes,
  decodeElements,
  decodeGeneration,
  decodeReplies,
  encodeQuestion,
  isDump,
  type Question,
} from './nfnetlink.ts';

/** From asm-generic/errno-base.h. */
const EPERM = 1;
const ENOENT = 2;

export class TableQuestions {
  readonly #table: string;
  readonly #socket: NetlinkSocket;
  #sequence = 0;

  /** Opens a socket; throws OperationalError. */
  constructor(table: string) {
    this.#table = table;
    this.#socket = openNetlinkSocket();
  }

  /** The ruleset's generation: every transaction on the machine, whose ever, raises it by one. */
  generation(): number {
    const [answer] = this.ask('generation', '') ?? [];
    return answer === undefined ? -1 : decodeGeneration(answer);
  }

  /** The messages that answer a question; null when what was asked about does not exist. Throws OperationalError. */
  ask(question: Question, name: string): readonly Attributes[] | null {
    const sequence = this.#send(question, name);
    const answers: Attributes[] = [];
    for (;;) {
      for (const reply of decodeReplies(this.#socket.receive().slice(), sequence)) {
        if (reply.kind === 'done') return answers;
        if (reply.kind === 'error') {
          if (reply.errno === ENOENT) return null;
          throw netlinkError(reply.errno);
        }
        answers.push(reply.attributes);
        if (!isDump(question)) return answers;
      }
    }
  }

  /**
   * The elements of a set, some hundred at a time; the socket can be asked nothing else before the last of them. A set
   * that is not there has none. Throws OperationalError.
   */
  *elements(set: BanSet): Generator<readonly KernelElement[]> {
    const sequence = this.#send('elements', set.name);
    for (;;) {
      const elements: KernelElement[] = [];
      for (const reply of decodeReplies(this.#socket.receive(), sequence)) {
        if (reply.kind === 'data') decodeElements(reply.attributes, set, elements);
        else {
          if (reply.kind === 'error' && reply.errno !== ENOENT) throw netlinkError(reply.errno);
          yield elements;
          return;
        }
      }
      yield elements;
    }
  }

  close(): void {
    this.#socket.close();
  }

  #send(question: Question, name: string): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    this.#socket.send(encodeQuestion(question, this.#table, name, this.#sequence));
    return this.#sequence;
  }
}

function netlinkError(errno: number): OperationalError {
  if (errno === EPERM) return noPermission('read nftables');
  return new OperationalError(`cannot read nftables: errno ${errno}`, {
    code: 'netlink-failed',
    retriable: true,
  });
}

/** The kernel let us do nothing at all. */
export function noPermission(action: string): OperationalError {
  return new OperationalError(`cannot ${action}: operation not permitted`, {
    code: 'no-permission',
    advice: 'run as root, or give the service AmbientCapabilities=CAP_NET_ADMIN',
  });
}
