/** The thread that owns the state file. A bug here ends the thread, which the store takes for one of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert, OperationalError } from '../core/errors.ts';
import { buffersOf, imageToColumns } from './columns.ts';
import { describeFailure, isDamage } from './failures.ts';
import type { LoadReply, StoreReply, StoreRequest, StoreWorkerData } from './message.ts';
import { openStateFile, type Repair, type StateFile } from './state-file.ts';

const port = parentPort;
assert(port !== null, 'the store worker runs in a worker thread');
const options = workerData as StoreWorkerData;
let file: StateFile | null = null;

port.on('message', (request: StoreRequest) => {
  let repair: Repair | null = null;
  try {
    const reply = answer(request);
    port.postMessage(reply, reply.kind === 'loaded' ? buffersOf(reply.ledger) : []);
  } catch (error) {
    if (file !== null && isDamage(error)) repair = replaceFile();
    const failure = describeFailure(error, options.path);
    if (failure === null) throw error;
    port.postMessage(failed(failure, repair));
  }
});

function answer(request: StoreRequest): StoreReply {
  switch (request.kind) {
    case 'load':
      return load();
    case 'commit':
      if (file === null) throw notOpen();
      return { kind: 'done', sessionsDropped: file.commit(request.changes, request.point, request.sessions) };
    case 'close':
      file?.close();
      file = null;
      return { kind: 'done', sessionsDropped: 0 };
  }
}

function load(): LoadReply {
  file?.close();
  file = null;
  const opened = openStateFile(options);
  file = opened.file;
  const { ledger, ...rest } = opened.content;
  return {
    kind: 'loaded',
    ledger: imageToColumns(ledger),
    ...rest,
    repair: opened.repair,
  };
}

/** Sets aside a file that was found damaged while in use, and begins a new one; null when that failed too. */
function replaceFile(): Repair | null {
  try {
    return load().repair;
  } catch (error) {
    if (error instanceof OperationalError) return null;
    throw error;
  }
}

function notOpen(): OperationalError {
  return new OperationalError(`cannot write the state to ${options.path}: the file is not open`, {
    code: 'state-closed',
  });
}

function failed({ message, code, advice, retriable }: OperationalError, repair: Repair | null): StoreReply {
  return { kind: 'failed', message, code, advice, retriable, repair };
}
