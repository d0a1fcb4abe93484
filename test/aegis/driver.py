"""Asks agent-aegis: one question a line on stdin, one answer a line on stdout.

A question is {"policy": YAML text} or {"action": {...}, "time": seconds since 1970}; the answer to a policy is {"rules": n}
or {"refused": why}, the answer to an action its decision, or the name of what was raised.
"""

import json
import logging
import signal
import sys
from datetime import UTC, datetime

import yaml
from aegis.core import conditions
from aegis.core.action import Action
from aegis.core.policy import Policy

logging.disable(logging.CRITICAL)


class Clock(datetime):
    """The time that the question names."""

    seconds = 0.0

    @classmethod
    def now(cls, tz=None):
        return datetime.fromtimestamp(cls.seconds, UTC)


conditions.datetime = Clock


class Endless(Exception):
    """Python's regular expressions can take exponential time."""


def give_up(*_):
    raise Endless


signal.signal(signal.SIGALRM, give_up)


def loaded(text):
    try:
        return Policy.from_dict(yaml.safe_load(text)), None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def decided(policy, question):
    Clock.seconds = question["time"]
    action = question["action"]
    named = f"MCP: {action['type']}@{action['target']}"
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        decision = policy.evaluate(Action(description=named, **action))
    except Exception as error:
        return {"raised": type(error).__name__}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return {
        "approval": decision.approval.value,
        "risk": decision.risk_level.name.lower(),
        "rule": decision.matched_rule,
    }


def main():
    policy = None
    for line in sys.stdin:
        question = json.loads(line)
        if "policy" in question:
            policy, why = loaded(question["policy"])
            answer = {"refused": why} if policy is None else {"rules": len(policy.rules)}
        else:
            answer = decided(policy, question)
        print(json.dumps(answer), flush=True)


main()
