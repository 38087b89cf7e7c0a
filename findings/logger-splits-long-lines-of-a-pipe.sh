#!/bin/sh
# logger of util-linux 2.38.1 (Debian 12, package bsdutils): a line on its standard input that is longer than --size
# (1 KiB by default) is not cut but split, and each part goes out as a message of its own, with the tag and the
# priority of the first and no mark, so that no receiver can tell the parts from messages of their own. As an argument
# the same text is cut, and its rest is dropped. With --size it goes out whole.
#
# Downloads the package with apt-get and unpacks it in a temporary directory; sends to a socket in there. Exit status 0:
# as seen; 1: it behaves otherwise.
set -eu
VERSION=1:2.38.1-5+deb12u3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download "bsdutils=$VERSION"
dpkg-deb --extract bsdutils_*.deb unpacked

# Prints how long each datagram is behind the header, until none has come for a second.
cat >receive.pl <<'PERL'
use strict; use warnings; use IO::Socket::UNIX; use Socket;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => 'log.sock') or die "log.sock: $!\n";
open(my $ready, '>', 'ready') or die; close($ready);
my @lengths;
for (;;) {
  my $bits = ''; vec($bits, fileno($socket), 1) = 1;
  last unless select($bits, undef, undef, @lengths ? 1 : 20);
  $socket->recv(my $message, 65536);
  my ($text) = $message =~ /app: (.*)\z/s;
  push @lengths, defined $text ? length($text) : "no tag: $message";
}
print "@lengths\n";
PERL

received() {
  rm -f log.sock ready
  perl receive.pl >lengths & receiver=$!
  until [ -e ready ]; do sleep 0.05; done
  "$@"
  wait "$receiver"
  cat lengths
}
by_pipe() { head -c 3000 /dev/zero | tr '\0' a | unpacked/usr/bin/logger --socket "$work/log.sock" --tag app; }
by_argument() { unpacked/usr/bin/logger --socket "$work/log.sock" --tag app "$(head -c 3000 /dev/zero | tr '\0' a)"; }

unpacked/usr/bin/logger --version
pipe=$(received by_pipe)
argument=$(received by_argument)
echo "3,000 characters on a pipe: messages of $pipe"
echo "3,000 characters as an argument: messages of $argument"
[ "$pipe" = '1024 1024 952' ] && [ "$argument" = 1024 ] || { echo 'otherwise than seen: 1024 1024 952, and 1024'; exit 1; }
