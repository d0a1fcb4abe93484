"""Times agent-aegis: a policy and its actions on stdin, what each evaluation took on stdout, in microseconds.

The loop and its clock are inside Python, so nothing of the process or of a pipe is in the figures.
"""

import json
import sys
import time

import yaml
from aegis.core.action import Action
from aegis.core.policy import Policy

question = json.load(sys.stdin)
policy = Policy.from_dict(yaml.safe_load(question["policy"]))
actions = [
    Action(type=tool, target=server, params=question["arguments"])
    for tool, server in question["calls"]
]
for action in actions:
    policy.evaluate(action)

took = []
for round in range(question["rounds"]):
    for action in actions:
        started = time.perf_counter_ns()
        policy.evaluate(action)
        took.append((time.perf_counter_ns() - started) / 1_000)
print(json.dumps(took))
