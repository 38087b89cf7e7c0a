#!/bin/sh
# Sees to what a checkout needs of the machine, beside what npm brings. The npm scripts call it before they begin:
#
#   sh packaging/prepare.sh run|test|demo|bench|package|packages
#
# As root on Debian or Ubuntu it installs what is missing, and says so; services that come along stay off. Elsewhere it
# names what is missing. Never asks, is silent when nothing is missing, and fails for nothing but a wrong mode: whatever
# is not there is then said again, and worked around, by the program that would use it.
set -u

# The daemon: the kernel's sets, the journal, and what the node binary is linked with.
RUN='libnftables1 libsystemd0 libatomic1'
# The beds of test/bed: namespaces and their network, a private journald, real ssh, real senders of syslog.
BED='util-linux mount iproute2 nftables bsdutils systemd passwd openssh-server openssh-client sshpass'
# fail2ban is what its import is held against, prometheus brings promtool.
TEST='systemd-journal-remote rsyslog rsyslog-openssl rsyslog-gnutls fail2ban prometheus busybox nginx apache2-bin haproxy
  curl git openssl xz-utils zsh fish bash-completion mandoc groff-base'
# Files that are unpacked, with the libraries that they need, and nothing else: syslog-ng cannot be installed beside
# rsyslog, and AppArmor would from then on confine programs of the machine.
ASIDE='syslog-ng-core apparmor'
ASIDE_DIRECTORY=/var/lib/bailiff-beds
# Making packages, examining them, and whole machines to install them on.
PACKAGE='dpkg-dev rpm tar xz-utils'
PACKAGES='lintian rpmlint mmdebstrap systemd-container'
# Whom the benchmarks run beside us.
PEERS='fail2ban sshguard'

# Services that packages of ours would switch on, on a machine where somebody only runs tests.
SERVICES='ssh.service ssh.socket rsyslog.service fail2ban.service prometheus.service sshguard.service nginx.service haproxy.service'

POLICY=/usr/sbin/policy-rc.d
LOCK=/run/lock/bailiff-prepare

main() {
  case ${1:-} in
    run) packages=$RUN ;;
    demo) packages="$RUN $BED" ;;
    test) packages="$RUN $BED $TEST" ;;
    bench) packages="$RUN $BED $TEST $PEERS" ;;
    package) packages=$PACKAGE ;;
    packages) packages="$RUN $BED $PACKAGE $PACKAGES" ;;
    *)
      echo "usage: prepare.sh run|test|demo|bench|package|packages" >&2
      exit 2
      ;;
  esac
  if command -v dpkg-query >/dev/null; then
    missing=$(missing_packages $packages)
    if [ -z "$missing" ]; then
      :
    elif [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
      install_packages $missing
    else
      say "these packages are missing: $missing"
      say "to get them, as root: apt-get install --no-install-recommends $missing"
    fi
    case $1 in test | bench) unpack_aside ;; esac
  else
    missing_elsewhere
  fi
  return 0
}

say() {
  echo "prepare: $*" >&2
}

# One call of dpkg for all of them: some 10 ms.
missing_packages() {
  installed=$(dpkg-query --show --showformat='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null)
  missing=
  for package; do
    case "
$installed
" in
      *"
ii  $package
"*) ;;
      *) missing="$missing $package" ;;
    esac
  done
  echo "${missing# }"
}

# A lock of our own comes first: two runs at once must not take each other's policy for the machine's.
install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  say "installing $*"
  wanted=$(wanted_services)
  mkdir -p "${LOCK%/*}"
  (
    flock 9
    keep_services_off
    apt_get update -qq && apt_get install -qq --yes --no-install-recommends "$@"
  ) 9>"$LOCK" || say "some of it could not be installed; what needs it will say so"
  switch_off_others "$wanted"
}

apt_get() {
  apt-get -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" </dev/null >&2
}

# No script of the package is run, so no service, user or file of /etc comes along.
unpack_aside() {
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 0
  for package in $ASIDE; do
    target=$ASIDE_DIRECTORY/$package
    [ ! -e "$target" ] && ! is_installed "$package" || continue
    say "unpacking $package in $target"
    work=$(mktemp -d)
    (
      cd "$work" && mkdir -p unpacked/libraries "$ASIDE_DIRECTORY" && apt_get update -qq &&
        apt_get download -qq -o APT::Sandbox::User=root "$package" $(missing_libraries_of "$package") &&
        for file in *.deb; do dpkg-deb --extract "$file" unpacked || exit; done &&
        find unpacked -path unpacked/libraries -prune -o -name '*.so*' \
          -exec cp --no-dereference -t unpacked/libraries {} + &&
        mv --no-target-directory unpacked "$target"
    ) || say "it could not be unpacked; what needs it will say so"
    rm -rf "$work"
  done
}

is_installed() {
  [ -z "$(missing_packages "$1")" ]
}

# What apt-get would install along with it, of that the libraries.
missing_libraries_of() {
  apt-get install --simulate --no-install-recommends "$1" 2>/dev/null </dev/null | sed -n 's/^Inst \(lib[^ ]*\) .*/\1/p'
}

# Without a policy a package's service is started as soon as it is installed. See invoke-rc.d(8).
keep_services_off() {
  [ ! -e "$POLICY" ] || return 0
  trap 'rm -f "$POLICY"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
}

# What the machine has on already.
wanted_services() {
  for service in $SERVICES; do
    if is_enabled "$service" || is_active "$service"; then printf ' %s ' "$service"; fi
  done
}

# The others must not start with the machine either, nor run on where its own policy had them started.
switch_off_others() {
  for service in $SERVICES; do
    case $1 in *" $service "*) continue ;; esac
    if is_active "$service"; then systemctl stop --quiet "$service" 2>/dev/null; fi
    is_enabled "$service" || continue
    systemctl disable --quiet "$service" 2>/dev/null
    say "$service came along and is switched off; to have it: systemctl enable --now $service"
  done
}

is_enabled() {
  command -v systemctl >/dev/null && systemctl is-enabled --quiet "$1" 2>/dev/null
}

# Only where systemd runs, see sd_booted(3); elsewhere is-active would not fail for that reason.
is_active() {
  [ -d /run/systemd/system ] && systemctl is-active --quiet "$1" 2>/dev/null
}

# No dpkg: the names of Fedora and Enterprise Linux, for what can be seen to be missing.
missing_elsewhere() {
  missing=
  has_library libnftables.so.1 || missing="$missing nftables-libs"
  has_library libsystemd.so.0 || missing="$missing systemd-libs"
  has_library libatomic.so.1 || missing="$missing libatomic"
  if [ "$packages" = "$PACKAGE" ]; then
    missing=
    for pair in dpkg-deb:dpkg rpmbuild:rpm-build; do
      has_command "${pair%%:*}" || missing="$missing ${pair##*:}"
    done
  elif [ "$packages" != "$RUN" ]; then
    for pair in nft:nftables ip:iproute unshare:util-linux sshd:openssh-server ssh:openssh-clients sshpass:sshpass \
      journalctl:systemd useradd:shadow-utils; do
      has_command "${pair%%:*}" || missing="$missing ${pair##*:}"
    done
  fi
  [ -z "$missing" ] || say "these packages seem to be missing (names of Fedora):$missing"
}

has_library() {
  PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -q "$1"
}

has_command() {
  PATH=$PATH:/sbin:/usr/sbin command -v "$1" >/dev/null
}

main "$@"
