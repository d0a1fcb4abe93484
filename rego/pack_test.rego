package tollgate.pack_test

import data.tollgate.pack

codes := {
	"RESOURCE_NOT_ALLOWED", "PROMPT_NOT_ALLOWED", "RUN_MISSING", "KILL_SIGNAL", "TOOL_NOT_ALLOWED",
	"RUN_CONFLICT", "RUN_ATTRIBUTE_ODD", "WORKFLOW_ID_INVALID", "AGENT_ID_INVALID", "RUN_ID_INVALID",
	"TOOL_NAMESPACE_INVALID", "TOOL_ACCESS_MODE_INVALID", "GATE_PHASE_INVALID", "AGENT_CLASS_INVALID",
	"CHANGE_CLASS_INVALID", "EVIDENCE_INVALID", "MATURITY_STAGE_INVALID", "BRANCH_NAME_INVALID",
	"CHANGED_PATHS_INVALID", "DIFF_LINE_COUNT_INVALID", "WORKFLOW_UNKNOWN", "WORKFLOW_NOT_ACTIVE",
	"WORKFLOW_OUTSIDE_MATURITY", "AGENT_NOT_ALLOWED", "TOOL_SCOPE_NOT_ALLOWED", "GATE_PHASE_NOT_DECLARED",
	"EVIDENCE_MISSING", "BRANCH_NOT_ALLOWED", "TOO_MANY_FILES", "DIFF_TOO_LARGE", "PATH_UNSAFE",
	"PATH_FORBIDDEN", "PATH_NOT_ALLOWED", "APPROVAL_DENIED", "APPROVAL_REQUIRED",
}

fix := {
	"active": true,
	"reach": 1,
	"agents": {"codex": true},
	"scopes": {"repo": {
		"read": {"verdict": "read", "needs_approval": false},
		"write_branch": {"verdict": "written", "needs_approval": false},
		"approval_required": {"verdict": "approved", "needs_approval": true},
	}},
	"phases": {"tool_call": [], "post_merge": ["review"]},
	"branch_prefix": "fix/",
	"allowed": {
		"exact": {"go.mod": true},
		"starts": ["/src/"],
		"ends": ["/Dockerfile"],
		"shaped": [{"starts": "/req", "ends": ".txt", "slashes": 1, "chars": 8}],
		"regex": [{"holds": ["a", "b"], "pattern": `\A/a[^/]*b[^/]*\z`}],
	},
	"forbidden": {
		"starts": ["/src/infra/"],
		"holds": [".pem/"],
		"regex": [{"holds": ["x", "y"], "pattern": `\A/src/x.*y/`}],
	},
	"max_files": 2,
	"max_lines": 10,
}

tables := {
	"workflows": {"fix": fix, "paused": object.union(fix, {"active": false}), "closed": object.union(fix, {"reach": -1})},
	"changes": {"asked": true, "said": false, "routine": {"docs": true}},
	"stages": {"crawl": 0, "walk": 1, "run": 2},
	"odd_parts": ["..", "//"],
	"stops": {code: code | some code in codes},
}

reading := {
	"workflow_id": "fix", "agent_id": "codex", "agent_class": "codex", "run_id": "1", "tool_namespace": "repo",
	"tool_access_mode": "read", "gate_phase": "tool_call", "kill_signals": [],
}

writing := object.union(reading, {
	"tool_access_mode": "write_branch",
	"branch_name": "fix/1",
	"changed_paths": ["src/a"],
	"diff_line_count": 10,
})

approval := {
	"status": "approved", "approver": "alice", "covers": true,
	"approved_at": "2026-01-05T11:00:00.000Z", "expires_at": "2026-01-05T13:00:00.000Z",
}

asking := object.union(reading, {"tool_access_mode": "approval_required", "approval": approval})

decided(run) := verdict if {
	verdict := pack.decision with input as {"method": "tools/call", "run": run, "time": "2026-01-05T12:00:00.000Z"}
		with data.tollgate.tables.pack as tables
}

changed(run, members) := decided(object.union(run, members))

without(run, key) := decided(object.remove(run, [key]))

path(text) := changed(writing, {"changed_paths": [text]})

test_what_nothing_stops_gets_what_its_scope_earns if {
	decided(reading) == "read"
	decided(writing) == "written"
	decided(asking) == "approved"
	changed(reading, {"maturity_stage": "walk"}) == "read"
}

test_resources_and_prompts_are_in_no_pack if {
	every method, code in {"resources/read": "RESOURCE_NOT_ALLOWED", "prompts/get": "PROMPT_NOT_ALLOWED"} {
		pack.decision == code with input as {"method": method} with data.tollgate.tables.pack as tables
	}
}

test_a_call_without_a_run_is_denied if {
	pack.decision == "RUN_MISSING" with input as {"method": "tools/call"} with data.tollgate.tables.pack as tables
	every run in [null, true, "fix", []] {
		decided(run) == "RUN_MISSING"
	}
}

test_a_signal_ends_whatever_else_is_wrong if {
	changed(reading, {"kill_signals": ["x"], "workflow_id": null}) == "KILL_SIGNAL"
	without(reading, "kill_signals") == "KILL_SIGNAL"
}

test_what_the_gate_noticed_denies if {
	changed(reading, {"unmapped": true}) == "TOOL_NOT_ALLOWED"
	changed(reading, {"conflict": "branch_name"}) == "RUN_CONFLICT"
	changed(reading, {"odd": "Run_ID"}) == "RUN_ATTRIBUTE_ODD"
}

test_what_must_be_known_is_denied_when_it_is_missing_or_null if {
	every key, code in {
		"workflow_id": "WORKFLOW_ID_INVALID", "agent_id": "AGENT_ID_INVALID", "run_id": "RUN_ID_INVALID",
		"tool_namespace": "TOOL_NAMESPACE_INVALID", "tool_access_mode": "TOOL_ACCESS_MODE_INVALID",
		"gate_phase": "GATE_PHASE_INVALID", "agent_class": "AGENT_CLASS_INVALID",
	} {
		without(reading, key) == code
		changed(reading, {key: null}) == code
	}
}

test_what_may_be_missing_is_denied_when_it_is_null if {
	every key, code in {
		"change_classes": "CHANGE_CLASS_INVALID", "evidence": "EVIDENCE_INVALID",
		"maturity_stage": "MATURITY_STAGE_INVALID", "branch_name": "BRANCH_NAME_INVALID",
		"changed_paths": "CHANGED_PATHS_INVALID", "diff_line_count": "DIFF_LINE_COUNT_INVALID",
	} {
		changed(reading, {key: null}) == code
	}
	changed(reading, {"maturity_stage": "sprint"}) == "MATURITY_STAGE_INVALID"
}

test_a_workflow_must_be_there_active_and_within_reach if {
	changed(reading, {"workflow_id": "other"}) == "WORKFLOW_UNKNOWN"
	changed(reading, {"workflow_id": "paused"}) == "WORKFLOW_NOT_ACTIVE"
	changed(reading, {"workflow_id": "closed"}) == "WORKFLOW_OUTSIDE_MATURITY"
	changed(reading, {"maturity_stage": "run"}) == "WORKFLOW_OUTSIDE_MATURITY"
}

test_agent_tool_phase_and_evidence_must_be_declared if {
	changed(reading, {"agent_class": "devin"}) == "AGENT_NOT_ALLOWED"
	changed(reading, {"tool_namespace": "other"}) == "TOOL_SCOPE_NOT_ALLOWED"
	changed(reading, {"tool_access_mode": "write_ticket"}) == "TOOL_SCOPE_NOT_ALLOWED"
	changed(reading, {"gate_phase": "runtime"}) == "GATE_PHASE_NOT_DECLARED"
	changed(writing, {"gate_phase": "post_merge"}) == "EVIDENCE_MISSING"
	changed(writing, {"gate_phase": "post_merge", "evidence": ["review"]}) == "written"
	changed(reading, {"gate_phase": "post_merge"}) == "read"
}

test_a_branch_is_written_within_its_bounds if {
	without(writing, "branch_name") == "BRANCH_NAME_INVALID"
	without(writing, "changed_paths") == "CHANGED_PATHS_INVALID"
	changed(writing, {"changed_paths": []}) == "CHANGED_PATHS_INVALID"
	without(writing, "diff_line_count") == "DIFF_LINE_COUNT_INVALID"
	changed(writing, {"branch_name": "main"}) == "BRANCH_NOT_ALLOWED"
	changed(writing, {"branch_name": "fix/"}) == "BRANCH_NOT_ALLOWED"
	changed(writing, {"changed_paths": ["src/a", "src/b", "src/c"]}) == "TOO_MANY_FILES"
	changed(writing, {"diff_line_count": 11}) == "DIFF_TOO_LARGE"
}

test_paths_are_allowed_by_rows_of_every_kind if {
	every text in ["go.mod", "src/a/b", "a/Dockerfile", "Dockerfile", "req-dev.txt", "aXb"] {
		path(text) == "written"
	}
	every text in ["go.sum", "srcs/a", "xDockerfile", "req/dev.txt", "rq.txt", "a/b"] {
		path(text) == "PATH_NOT_ALLOWED"
	}
}

test_paths_are_forbidden_by_rows_of_every_kind_in_any_case if {
	every text in ["src/infra/a", "SRC/Infra/a", "src/k.PEM", "src/k.pem/a", "src/x/1y"] {
		path(text) == "PATH_FORBIDDEN"
	}
}

test_a_path_that_could_mean_another_is_in_no_scope if {
	every text in ["src/../a", "/src/a", "src//a", "src/"] {
		path(text) == "PATH_UNSAFE"
	}
}

test_a_person_approves_by_a_whole_record_that_is_not_over if {
	without(asking, "approval") == "APPROVAL_REQUIRED"
	changed(asking, {"approval": {"status": "denied"}}) == "APPROVAL_DENIED"
	changed(reading, {"approval": {"status": "denied", "covers": true}}) == "APPROVAL_DENIED"
	changed(reading, {"approval": {"status": "denied", "covers": false}}) == "read"
	every members in [
		{"status": "pending"}, {"covers": false}, {"approver": null}, {"approver": "codex"},
		{"approved_at": "2026-01-05T12:00:00.001Z"}, {"expires_at": "2026-01-05T12:00:00.000Z"},
		{"approved_at": null}, {"expires_at": null},
	] {
		changed(asking, {"approval": members}) == "APPROVAL_REQUIRED"
	}
}

test_some_changes_need_a_person_whoever_makes_them if {
	decided(writing) == "written"
	changed(writing, {"change_classes": ["docs"]}) == "written"
	changed(writing, {"change_classes": ["docs", "tests"]}) == "APPROVAL_REQUIRED"
	changed(reading, {"change_classes": ["tests"]}) == "APPROVAL_REQUIRED"
	changed(writing, {"change_classes": ["migrations"]}) == "APPROVAL_REQUIRED"
	changed(writing, {"change_classes": ["migrations"], "approval": approval}) == "written"
	changed(writing, {"change_classes": ["migrations"], "changed_paths": ["b"]}) == "PATH_NOT_ALLOWED"
}

classed(run, changes) := verdict if {
	verdict := pack.decision with input as {"method": "tools/call", "run": run, "time": "2026-01-05T12:00:00.000Z"}
		with data.tollgate.tables.pack as object.union(object.remove(tables, ["changes"]), {"changes": changes})
}

test_where_routine_changes_are_listed_a_write_says_which_it_is if {
	listed := {"asked": true, "said": true, "routine": {"docs": true}}
	classed(writing, listed) == "APPROVAL_REQUIRED"
	classed(object.union(writing, {"change_classes": []}), listed) == "APPROVAL_REQUIRED"
	classed(object.union(writing, {"change_classes": ["docs"]}), listed) == "written"
	classed(reading, listed) == "read"
}

test_where_no_change_needs_a_person_no_class_is_asked if {
	changes := {"asked": false, "said": false}
	every classes in [["migrations"], ["docs", "tests"], []] {
		classed(object.union(writing, {"change_classes": classes}), changes) == "written"
	}
}
