#!/bin/sh
# rsyslogd 8.2302.0 (Debian 12): what it says when an input has dropped messages for coming too fast has the tag
# "rsyslogd-2177", not the "rsyslogd" of its other words: the number of its internal error is glued to the name, so
# whoever selects rsyslogd's own messages by their program misses those that tell of a loss. The TCP input (imtcp) calls
# itself "tcperver" there. And the word comes with the first message after the interval: an input that falls silent
# never says what it lost.
#
# Downloads the packages with apt-get and unpacks them in a temporary directory; sends over loopback. Exit status 0: as
# seen; 1: it behaves otherwise.
set -eu
RSYSLOG=8.2302.0-1+deb12u2
PORT=47514

work=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon"; wait; rm -rf "$work"' EXIT
cd "$work"
for package in "rsyslog=$RSYSLOG" libestr0=0.1.11-1 libfastjson4=1.2304.0-1; do
  apt-get -qq -o APT::Sandbox::User=root download "$package"
done
for package in *.deb; do dpkg-deb --extract "$package" unpacked; done
libraries=$(dirname "$(find "$work/unpacked" -name 'libestr.so.0' | head -n 1)")
modules=$(dirname "$(find "$work/unpacked" -name imtcp.so | head -n 1)")

cat >rsyslog.conf <<CONF
global(workDirectory="$work" processInternalMessages="on")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="$PORT" RateLimit.Interval="2" RateLimit.Burst="10")
template(name="line" type="string" string="%syslogtag%|%msg%\n")
*.* action(type="omfile" file="$work/out" template="line")
CONF
LD_LIBRARY_PATH=$libraries unpacked/usr/sbin/rsyslogd -v | head -n 1
LD_LIBRARY_PATH=$libraries unpacked/usr/sbin/rsyslogd -n -M "$modules" -f rsyslog.conf -i "$work/pid" &
daemon=$!

# Prints how many lines tell of a loss, before another message has come and behind it.
perl - "$PORT" "$work/out" >counts <<'PERL'
use strict; use warnings; use IO::Socket::INET;
my ($port, $out) = @ARGV;
sub lost { open(my $in, '<', $out) or return 0; return scalar grep { /messages lost/ } <$in> }
my $socket;
for (1 .. 200) { last if $socket = IO::Socket::INET->new("127.0.0.1:$port"); select(undef, undef, undef, 0.1) }
die "rsyslogd does not listen\n" unless $socket;
$socket->autoflush(1);
print $socket "<38>Dec  1 10:00:00 host app: one of many\n" for 1 .. 100;
sleep 4;
my $silent = lost();
print $socket "<38>Dec  1 10:00:00 host app: one more\n";
for (1 .. 100) { last if lost(); select(undef, undef, undef, 0.1) }
print "$silent ", lost(), "\n";
PERL

cat counts
grep 'messages lost' out
[ "$(cat counts)" = '0 1' ] &&
  grep -q '^rsyslogd-2177:| *tcperver: 90 messages lost due to rate-limiting (10 allowed within 2 seconds)' out ||
  { echo 'otherwise than seen'; cat out; exit 1; }
