#!/bin/sh
# Holds a throw-away bed open; namespace.ts starts it and keeps the other end of its standard input. When that closes,
# however its owner ended, the bed goes: its PID namespace takes every process along, the rest is released or removed.
#
#   holder.sh outside DIRECTORY   stays outside, starts the bed, tidies up after it
#   holder.sh cgroup DIRECTORY    as root: gives the bed a control group of its own, so that journald can name units
#   holder.sh inside DIRECTORY    the first process of the bed
#
# Prints one line when the bed is ready: ready PID PRIVILEGED UNITS (PID as seen from outside, then yes or no).
# Nothing gets a global name: the attacker's namespace lives in the bed's own /run.
set -eu
role=$1
directory=$2

outside() {
  trap 'rm -rf --one-file-system "$directory"' EXIT
  if [ "$(id -u)" -eq 0 ] && unshare --net --mount true 2>/dev/null; then
    unshare --mount --propagation private sh "$0" cgroup "$directory"
  else
    unshare --user --map-root-user --net --mount --pid --fork --kill-child sh "$0" inside "$directory" no no
  fi
}

cgroup() {
  root=$directory/cgroup
  group=$root/bailiff-bed-$$
  if mkdir "$root" && mount -t cgroup2 none "$root" 2>/dev/null && mkdir "$group" 2>/dev/null; then
    echo $$ >"$group/cgroup.procs"
    status=0
    unshare --cgroup --net --mount --pid --fork --kill-child sh "$0" inside "$directory" yes yes || status=$?
    echo $$ >"$root/cgroup.procs"
    find "$group" -depth -type d -exec rmdir {} +
    exit "$status"
  fi
  unshare --net --mount --pid --fork --kill-child sh "$0" inside "$directory" yes no
}

inside() {
  read -r pid rest </proc/self/stat
  mount --make-rprivate /
  private_files "$2"
  [ "$1" = no ] || open_checkout
  network
  echo "ready $pid $1 $2"
  # With SIGCHLD ignored the kernel reaps the orphans of the bed.
  trap '' CHLD
  exec cat >/dev/null
}

# A /run, /var/log, /dev and /etc of its own. What must be in /etc is put there before the overlay is mounted: in a user
# namespace the files below cannot be changed afterwards.
private_files() {
  base=$directory/base
  mkdir "$base"
  mount -t tmpfs -o mode=755 tmpfs "$base"
  mkdir -p "$base/etc" "$base/work" "$base/dev" "$base/proc"
  tr -d - </proc/sys/kernel/random/uuid >"$base/etc/machine-id"
  mount -t overlay overlay -o "lowerdir=/etc,upperdir=$base/etc,workdir=$base/work" /etc
  mount --rbind /proc "$base/proc"
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=755 tmpfs /var/log
  mkdir /run/outer-proc
  mount --move "$base/proc" /run/outer-proc
  mount -t proc proc /proc
  if [ "$1" = yes ]; then
    umount -R /sys/fs/cgroup 2>/dev/null || true
    mount -t cgroup2 none /sys/fs/cgroup
  fi
  private_devices "$base/dev"
}

# Other users of the bed run programs of ours, and a checkout may lie where root alone gets to, such as in /root: an
# empty directory covers the uppermost one that keeps them out, and has nothing but the checkout.
open_checkout() {
  checkout=$(cd "$(dirname "$0")/../.." && pwd -P)
  closed=
  above=${checkout%/*}
  while [ -n "$above" ]; do
    case $(stat -c %A "$above") in *[xt]) ;; *) closed=$above ;; esac
    above=${above%/*}
  done
  # None, or one that has the bed's own directory, too.
  case $directory/ in "$closed"/*) return ;; esac
  mkdir "$base/checkout"
  mount --bind "$checkout" "$base/checkout"
  mount -t tmpfs -o mode=755 tmpfs "$closed"
  mkdir -p "$checkout"
  mount --move "$base/checkout" "$checkout"
}

# /dev/log has to lead to the bed's journald, and a machine may have a socket, a link or nothing in its place.
private_devices() {
  mount --rbind /dev "$1"
  mount -t tmpfs -o mode=755 tmpfs /dev
  for device in null zero full random urandom tty; do
    : >"/dev/$device"
    mount --bind "$1/$device" "/dev/$device"
  done
  mkdir /dev/pts /dev/shm
  mount -t devpts -o newinstance,mode=620,ptmxmode=666 devpts /dev/pts
  ln -s pts/ptmx /dev/ptmx
  ln -s /proc/self/fd /dev/fd
  ln -s /run/systemd/journal/dev-log /dev/log
  umount -l "$1"
}

network() {
  ip link set lo up
  ip netns add attacker
  ip link add wire0 type veth peer name wire0 netns attacker
  ip link set wire0 up
  ip -n attacker link set lo up
  ip -n attacker link set wire0 up
}

case $role in
  outside) outside ;;
  cgroup) cgroup ;;
  inside) inside "$3" "$4" ;;
esac
