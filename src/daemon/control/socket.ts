/** The control socket as a part, and as the component `control`. */
import type { Plan } from '../../config/plan.ts';
import { OperationalError } from '../../core/errors.ts';
import { raise } from '../../core/warning/catalogue.ts';
import type { ControlServer, ControlServerOptions } from '../../http/control-server.ts';
import type { Part } from '../part.ts';

export type ControlSocketOptions = Omit<ControlServerOptions, 'socketPath'>;

export class ControlSocket implements Part {
  readonly name = 'control';
  readonly isVital = true;
  readonly #options: ControlSocketOptions;
  #loading: Promise<typeof import('../../http/control-server.ts')> | null = null;
  #server: ControlServer | null = null;

  constructor(options: ControlSocketOptions) {
    this.#options = options;
  }

  /** The server is a tenth of the program: it is read while others wait for the disk and the kernel. */
  readonly prepare = (): void => {
    this.#loading = import('../../http/control-server.ts');
  };

  /** Throws OperationalError `already-running`; without a socket for any other reason the daemon works all the same. */
  readonly start = async ({ socketPath }: Plan): Promise<void> => {
    if (this.#loading === null) this.prepare();
    const loaded = await this.#loading;
    if (loaded === null) return;
    const { emit } = this.#options;
    this.#server = loaded.createControlServer({ ...this.#options, socketPath });
    try {
      await this.#server.start();
      emit({ kind: 'component', component: 'control', health: 'up', detail: socketPath, warnings: [] });
    } catch (error) {
      if (!(error instanceof OperationalError) || error.code === 'already-running') throw error;
      const warnings = [raise('control-down', { reason: error.message, remedy: error.advice })];
      emit({ kind: 'component', component: 'control', health: 'down', detail: '', warnings });
    }
  };

  readonly stop = async (): Promise<void> => {
    await this.#server?.stop();
  };
}
