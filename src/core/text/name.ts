/** Names of jails, filters and senders. */

export const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;
