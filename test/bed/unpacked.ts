/** Packages of Debian that packaging/prepare.sh only unpacks, since the machine must not have them installed. */
import { join } from 'node:path';

const DIRECTORY = '/var/lib/bailiff-beds';

/** Where the files of a package are, as below `/`; its libraries are in `libraries/`. It may not be there. */
export function unpackedDirectory(debianPackage: 'syslog-ng-core' | 'apparmor'): string {
  return join(DIRECTORY, debianPackage);
}
