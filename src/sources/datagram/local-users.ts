/** Users of this host by name or number, as /etc/passwd has them (passwd(5)). */
import { readFileSync } from 'node:fs';

export type LocalUsers = {
  readonly uids: ReadonlySet<number>;
  /** Names that no user has. */
  readonly unknown: readonly string[];
};

const NAME = 0;
const UID = 2;

/** The uids of `users`; a number stands for itself. Without /etc/passwd nobody has a name. */
export function findLocalUsers(users: readonly string[]): LocalUsers {
  const known = readUsers();
  const uids = new Set<number>();
  const unknown: string[] = [];
  for (const user of users) {
    const uid = /^\d+$/.test(user) ? Number(user) : known.get(user);
    if (uid === undefined) unknown.push(user);
    else uids.add(uid);
  }
  return { uids, unknown };
}

function readUsers(): ReadonlyMap<string, number> {
  const users = new Map<string, number>();
  for (const line of readLines()) {
    const fields = line.split(':');
    const uid = fields[UID] ?? '';
    if (/^\d+$/.test(uid)) users.set(fields[NAME] ?? '', Number(uid));
  }
  return users;
}

function readLines(): readonly string[] {
  try {
    return readFileSync('/etc/passwd', 'utf8').split('\n');
  } catch {
    return [];
  }
}
