/**
 * Opens shared libraries of the system, by soname, when they are first needed. The only users of koffi are the files
 * beside this one; above them nothing knows that there is an FFI.
 */
import * as koffi from 'koffi';
import { OperationalError } from '../core/errors.ts';

export type NativeLibrary = {
  /** The soname, such as `libsystemd.so.0`. */
  readonly soname: string;
  /** Debian's and Fedora's package that brings it, for the advice. */
  readonly debianPackage: string;
  readonly fedoraPackage: string;
};

/** Opens a library; throws OperationalError `library-missing` with the package to install when it is not there. */
export function openLibrary(library: NativeLibrary): koffi.LibraryHandle {
  try {
    return koffi.load(library.soname);
  } catch (cause) {
    throw new OperationalError(`cannot load ${library.soname}: ${(cause as Error).message}`, {
      code: 'library-missing',
      advice: `install it: apt-get install ${library.debianPackage} (Debian, Ubuntu) or dnf install ${library.fedoraPackage} (Fedora, EL)`,
      cause,
    });
  }
}
