#!/bin/sh
# Runs a command in a Debian system in a directory, as root in its /root, with mounts and processes of its own; it is
# gone with all that it started when the command ends. `offline` gives it a network of its own, too.
#
#   enter-root.sh online|offline DIRECTORY COMMAND [WORD]...
set -eu
case $1 in
  online) exec unshare --mount --pid --fork --kill-child --propagation private sh "$0" inside "$@" ;;
  offline) exec unshare --net --mount --pid --fork --kill-child --propagation private sh "$0" inside "$@" ;;
esac
network=$2
root=$3
shift 3
[ "$network" = online ] || ip link set lo up
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
# Not chroot(8): what enters the namespace of these mounts later must find this root, too.
cd "$root"
mkdir run/outside
pivot_root . run/outside
umount -l /run/outside
cd /root
exec "$@"
