#!/bin/sh
# What the README's run line starts, in a clone where npm ci has run: started, asked whether it answers, and stopped by
# what Ctrl-C sends to everything that was started. Prints what was said; fails when one of the three does.
#
#   start-ping-stop.sh COMMAND [WORD]...
set -eu
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# A group of its own, as at a terminal: npm 9 hands no signal on, and leaves that to the terminal.
setsid "$@" >"$said" 2>&1 &
group=$!
answer=none
for second in $(seq 60); do
  answer=$(npx bailiff ping 2>&1) && break
  kill -0 "$group" 2>/dev/null || break
  sleep 1
done
kill -s INT -- "-$group"
(sleep 30 && kill -s KILL -- "-$group") >/dev/null 2>&1 &
late=$!
status=0
wait "$group" || status=$?
kill "$late" 2>/dev/null || true
cat "$said"
echo "answer: $answer"
echo "status: $status"
[ "$answer" = pong ] && [ "$status" -eq 0 ]
