#!/usr/bin/env bash
# minions.sh [NODE...]: waits until the minions of these nodes, or of all, answer the master.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

[ $# = 0 ] || all=("$@")
[ $# != 0 ] || mapfile -t all < <(nodes names)
master=$(nodes master)

# A master that has just started answers before minions are back, and a question to one that isn't there takes a
# while: first count the connections.
connected() {
    # shellcheck disable=SC2016
    [ "$("$ROOT/lab/run" "$master" ss -Htn state established '( sport = :4505 )' | wc -l)" -ge ${#all[@]} ]
}
answered() {
    missing=$("$ROOT/lab/run" "$master" salt -t 5 --out=txt --list "$(IFS=, && echo "${all[*]}")" test.ping 2>/dev/null |
        awk '$2 == "True" {print $1}' | tr -d : | sort | comm -13 - <(printf '%s\n' "${all[@]}" | sort) | xargs)
    [ -z "$missing" ]
}
wait_for 120 "${#all[@]} minions to connect to $master (see: make status)" connected
wait_for 60 "minions to answer (see: make status): ${all[*]}" answered
say "minions answer: ${all[*]}"
