"""Reads `salt --out=json ... state.apply` from stdin as nodes answer, prints a line a node and each failed state in full.

summary.py NODE...      the nodes that should answer; ends with 1 if one failed or didn't answer
"""

import json
import os
import sys


def documents(descriptor):
    """The JSON documents that come in, each as soon as it is complete; what is no JSON is shown as it is."""
    decoder, text = json.JSONDecoder(), ""
    while chunk := os.read(descriptor, 65536):
        text += chunk.decode(errors="replace")
        while text := text.lstrip():
            try:
                found, end = decoder.raw_decode(text)
            except json.JSONDecodeError:
                line, newline, rest = text.partition("\n")
                if text.startswith("{") or not newline:
                    break
                print(line)
                text = rest
                continue
            text = text[end:]
            yield found
    if text.strip():
        print(text)


def failures(states):
    """The failed ones, in the order in which they ran; those that only failed because a requisite did come as a count."""
    failed = sorted((s for s in states if s.get("result") is False), key=lambda s: s.get("__run_num__", 0))
    direct = [s for s in failed if not str(s.get("comment", "")).startswith("One or more requisite failed")]
    return direct, len(failed) - len(direct)


def show(node, answer):
    """Prints what ``node`` answered; tells whether all is well."""
    if isinstance(answer, dict) and "ret" in answer and "retcode" in answer:
        answer = answer["ret"]
    if not isinstance(answer, dict) or not all(isinstance(state, dict) for state in answer.values()):
        print(f"   {node:<10} no state was applied")
        for line in answer if isinstance(answer, list) else [answer]:
            print("      " + str(line).replace("\n", "\n      "))
        return False
    states = answer.values()
    direct, followers = failures(states)
    changed = sum(1 for state in states if state.get("changes"))
    seconds = sum(float(state.get("duration") or 0) for state in states) / 1000
    print(
        f"   {node:<10} {len(states):>4} states {changed:>4} changed "
        f"{len(direct) + followers:>3} failed {seconds:>6.0f} s",
        flush=True,
    )
    for state in direct:
        print(f"      {state.get('__sls__', '?')}: {state.get('__id__', '?')} ({state.get('name', '')})")
        print("         " + str(state.get("comment", "")).strip().replace("\n", "\n         "))
        if state.get("changes"):
            print("         " + json.dumps(state["changes"], indent=2).replace("\n", "\n         "))
    if followers:
        print(f"      and {followers} that depend on them")
    return not direct


def main():
    """Shows each answer as it comes, then those who didn't answer."""
    waiting, well = set(sys.argv[1:]), True
    for document in documents(sys.stdin.fileno()):
        for node, answer in document.items():
            waiting.discard(node)
            well = show(node, answer) and well
    for node in sorted(waiting):
        print(f"   {node:<10} didn't answer")
    return 0 if well and not waiting else 1


if __name__ == "__main__":
    sys.exit(main())
