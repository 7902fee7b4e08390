#!/usr/bin/env bash
# etcdctl in API-2 mode: every command that people script with.
#
# Needs ETCDCTL (the program, of etcd 3.4) and ENDPOINT (a fresh server). Prints commands and answers in a form
# that is the same on every server: indexes count from that of the first write, ids and ports have names.
set -uo pipefail
export ETCDCTL_API=2

ctl() {
    "$ETCDCTL" --endpoints "$ENDPOINT" "$@" 2>&1
}

base=$(ctl -o extended set /base here | sed -n 's/^Modified-Index: //p')
: "${base:?the first write has failed}"

normal() {
    awk -v base="$base" '{
        line = $0; out = ""
        # Created-Index: 7, "modifiedIndex":7, X-Etcd-Index: 7, and the [7] at the end of an error.
        while (match(line, /([Ii]ndex"?: ?[0-9]+)|(\[[0-9]+\]$)/)) {
            part = substr(line, RSTART, RLENGTH)
            out = out substr(line, 1, RSTART - 1); line = substr(line, RSTART + RLENGTH)
            match(part, /[0-9]+/)
            number = substr(part, RSTART, RLENGTH)
            out = out substr(part, 1, RSTART - 1) "base+" (number - base) substr(part, RSTART + RLENGTH)
        }
        print out line
    }' | sed -E \
        -e 's#Raft-Index: base\+-?[0-9]+#Raft-Index: N#; s#Raft-Term: [0-9]+#Raft-Term: N#' \
        -e 's#\b[0-9a-f]{13,16}: name=[^ ]+#ID: name=NAME#; s#member [0-9a-f]{13,16} #member ID #' \
        -e 's#https?://(127\.0\.0\.1|localhost):[0-9]+#URL#g'
}

# Prints the command, its answer and its exit code.
run() {
    echo "\$ etcdctl $*"
    ctl "$@" | normal
    local code=${PIPESTATUS[0]}
    [ "$code" = 0 ] || echo "exit code $code"
}

# Waits until a file has a line: until_file_has FILE PATTERN [KEY VALUE]. Nobody says when a watch of etcdctl is
# open, so KEY is set again and again until the watch has heard of it.
until_file_has() {
    local tries=0
    until grep -q "$2" "$1"; do
        tries=$((tries + 1))
        [ "$tries" -le 100 ] || { echo "no $2 in $1 after 10 s"; return; }
        [ -z "${3-}" ] || ctl set "$3" "$4" > /dev/null
        sleep 0.1
    done
}

echo '# values'
run set /app/name one
run get /app/name
run -o extended get /app/name
run -o json get /app/name
run set /app/name 'two words'
run set --swap-with-value 'two words' /app/name three
run set --swap-with-value 'something else' /app/name four
run get --quorum /app/name
run mk /app/name five
run mk /app/new five
run update /app/new six
run update /app/none six
run get /app/none
run set --ttl 100 /app/short lived
run ls --sort -p /app
run set /app/odd 'a=b&c d%41+é'
run get /app/odd

echo '# directories'
run mkdir /dir
run mkdir /dir
run mkdir /dir/deep/deeper
run setdir /dir/other
run updatedir --ttl 100 /dir/other
run updatedir /dir/none
run mk --in-order /dir/queue first | sed -E 's#[0-9]{20}#ORDER#'
run set /dir/deep/leaf green
run set /dir/_hidden leaf
run ls --sort /dir
run ls --sort -r -p /dir | sed -E 's#[0-9]{20}#ORDER#'
run ls --sort -r /app
run get /dir
run set /dir value
run ls /none

echo '# removing'
run rm /app/new
run rm /app/new
run rm --with-value wrong /app/name
run rm --with-value three /app/name
run rm /dir
run rmdir /dir
run rm --recursive /dir
run mkdir /empty
run rmdir /empty
run rm /none

echo '# watching'
work=$(mktemp -d)
trap 'kill $(jobs -p) 2> /dev/null; rm -rf "$work"' EXIT
run set /w/a 1
run set /w/b 2
run rm /w/a
# The index of the first of the three.
first=$(ctl -o extended get /w/b | sed -n 's/^Created-Index: //p')
echo '$ etcdctl watch --after-index …, one by one'
for back in 2 1 0; do
    ctl -o extended watch --recursive --after-index $((first - back)) /w | normal
done
echo '$ etcdctl watch, then set'
ctl watch /w/c > "$work/once" &
until_file_has "$work/once" . /w/c 3
wait
cat "$work/once"
echo '$ etcdctl watch --forever --recursive'
ctl watch --forever --recursive /w > "$work/forever" &
watch=$!
until_file_has "$work/forever" sync /w/sync sync
ctl set /w/d/e 4 > "$work/out"
ctl update /w/d/e 5 > "$work/out"
ctl mkdir /w/f > "$work/out"
ctl rm /w/d/e > "$work/out"
ctl rm --recursive /w/d > "$work/out"
ctl set /w/end end > "$work/out"
until_file_has "$work/forever" end
kill "$watch"
wait
grep -v sync "$work/forever"
echo '$ etcdctl exec-watch'
ctl exec-watch --recursive /x -- sh -c \
    'echo "$ETCD_WATCH_ACTION $ETCD_WATCH_KEY $ETCD_WATCH_VALUE index ${ETCD_WATCH_MODIFIED_INDEX:+there}"' \
    > "$work/exec" &
watch=$!
until_file_has "$work/exec" sync /x/sync sync
ctl set /x/y 6 > "$work/out"
ctl rm /x/y > "$work/out"
ctl set /x/end end > "$work/out"
until_file_has "$work/exec" end
kill "$watch"
wait
grep -v sync "$work/exec"

echo '# the cluster'
run member list
run cluster-health
run ls --sort /
