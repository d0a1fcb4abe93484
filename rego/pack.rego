# One decision under a policy pack: the row of a workflow is found by its id, and the first thing that stops the call names
# the decision. Every pack is these rules over tables of its own.
#
# What must be known is asked for as a proof: a member of the run that is missing, null or of another type proves nothing.
# Each proof is a rule of its own: a reference inside of a `not` that leads nowhere would take the whole question with it.
package tollgate.pack

run := input.run

tables := data.tollgate.tables.pack

stops := tables.stops

workflow := tables.workflows[run.workflow_id]

scope := workflow.scopes[run.tool_namespace][run.tool_access_mode]

decision := stops.RESOURCE_NOT_ALLOWED if input.method == "resources/read"

else := stops.PROMPT_NOT_ALLOWED if input.method == "prompts/get"

else := stops.RUN_MISSING if not registered

else := stops.KILL_SIGNAL if not quiet

else := stops.TOOL_NOT_ALLOWED if run.unmapped

else := stops.RUN_CONFLICT if run.conflict

else := stops.RUN_ATTRIBUTE_ODD if run.odd

else := stops.WORKFLOW_ID_INVALID if not is_text("workflow_id")

else := stops.AGENT_ID_INVALID if not is_text("agent_id")

else := stops.RUN_ID_INVALID if not is_text("run_id")

else := stops.TOOL_NAMESPACE_INVALID if not is_text("tool_namespace")

else := stops.TOOL_ACCESS_MODE_INVALID if not is_text("tool_access_mode")

else := stops.GATE_PHASE_INVALID if not is_text("gate_phase")

else := stops.AGENT_CLASS_INVALID if not is_text("agent_class")

else := stops.CHANGE_CLASS_INVALID if is_null(run.change_classes)

else := stops.EVIDENCE_INVALID if is_null(run.evidence)

else := stops.MATURITY_STAGE_INVALID if not staged

else := stops.BRANCH_NAME_INVALID if is_null(run.branch_name)

else := stops.CHANGED_PATHS_INVALID if is_null(run.changed_paths)

else := stops.DIFF_LINE_COUNT_INVALID if is_null(run.diff_line_count)

else := stops.WORKFLOW_UNKNOWN if not workflow

else := stops.WORKFLOW_NOT_ACTIVE if not active

else := stops.WORKFLOW_OUTSIDE_MATURITY if not within_reach

else := stops.AGENT_NOT_ALLOWED if not agent_allowed

else := stops.TOOL_SCOPE_NOT_ALLOWED if not scope

else := stops.GATE_PHASE_NOT_DECLARED if not phase_declared

else := stops.EVIDENCE_MISSING if not evident

else := outside if outside

else := stops.APPROVAL_DENIED if refused

else := stops.APPROVAL_REQUIRED if {
	not needs_no_person
	not approved
}

else := scope.verdict

registered if is_object(input.run)

quiet if count(run.kill_signals) == 0

is_text(key) if is_string(input.run[key])

# How far the run goes, as a number: it may not say, and then it goes nowhere beyond its workflow.
reach := 0 if not has_stage

else := tables.stages[run.maturity_stage]

has_stage if {
	_ := run.maturity_stage
}

staged if is_number(reach)

active if workflow.active == true

within_reach if {
	workflow.reach >= 0
	reach <= workflow.reach
}

agent_allowed if workflow.agents[run.agent_class]

phase_declared if is_array(workflow.phases[run.gate_phase])

# What is written in a phase stands on the records of that phase; what is read carries nothing over a gate.
evident if run.tool_access_mode == "read"

else if {
	every id in workflow.phases[run.gate_phase] {
		id in run.evidence
	}
}

# A refusal counts where a person is asked, and of what it names also where none is.
refused if {
	run.approval.status == "denied"
	not needs_no_person
}

else if {
	run.approval.status == "denied"
	run.approval.covers
}

# What a write to a branch goes beyond. Nothing else is written to a branch.
outside := verdict if {
	run.tool_access_mode == "write_branch"
	verdict := beyond
}

beyond := stops.BRANCH_NAME_INVALID if not is_text("branch_name")

else := stops.CHANGED_PATHS_INVALID if not some_paths

else := stops.DIFF_LINE_COUNT_INVALID if not counted

else := stops.BRANCH_NOT_ALLOWED if not branch_fits

else := stops.TOO_MANY_FILES if not few_files

else := stops.DIFF_TOO_LARGE if not few_lines

else := stops.PATH_UNSAFE if some_unsafe

else := stops.PATH_FORBIDDEN if some_forbidden

else := stops.PATH_NOT_ALLOWED if some_outside

some_paths if {
	is_array(run.changed_paths)
	count(run.changed_paths) > 0
}

counted if is_number(run.diff_line_count)

few_files if count(run.changed_paths) <= workflow.max_files

few_lines if run.diff_line_count <= workflow.max_lines

branch_fits if {
	startswith(run.branch_name, workflow.branch_prefix)
	run.branch_name != workflow.branch_prefix
}

# Each path between slashes, in lower case: so that the first and the last segment are like any other.
wrapped := [lower(concat("", ["/", path, "/"])) | some path in run.changed_paths]

some_unsafe if {
	some path in wrapped
	some part in tables.odd_parts
	contains(path, part)
}

some_forbidden if {
	some path in wrapped
	forbidden(path)
}

forbidden(path) if {
	some text in workflow.forbidden.starts
	startswith(path, text)
}

else if {
	some text in workflow.forbidden.holds
	contains(path, text)
}

else if {
	some row in workflow.forbidden.regex
	holds_all(path, row.holds)
	regex.match(row.pattern, path)
}

some_outside if {
	some path in run.changed_paths
	not allowed(path)
}

allowed(path) if workflow.allowed.exact[path]

else if allowed_below(concat("", ["/", path]))

allowed_below(path) if {
	some text in workflow.allowed.starts
	startswith(path, text)
}

else if {
	some text in workflow.allowed.ends
	endswith(path, text)
}

else if {
	some row in workflow.allowed.shaped
	startswith(path, row.starts)
	endswith(path, row.ends)
	count(path) >= row.chars
	count(split(path, "/")) == row.slashes + 1
}

else if {
	some row in workflow.allowed.regex
	holds_all(path, row.holds)
	regex.match(row.pattern, path)
}

holds_all(path, texts) if {
	every text in texts {
		contains(path, text)
	}
}

needs_no_person if {
	scope.needs_approval == false
	not reviewed
	not unsaid
}

# A class that nobody says to be routine may be a misspelt one of those that a person has to see.
reviewed if {
	tables.changes.asked
	some class in run.change_classes
	not routine(class)
}

routine(class) if tables.changes.routine[class]

# Where routine changes are listed, a write says which it is.
unsaid if {
	tables.changes.said
	run.tool_access_mode != "read"
	not classed
}

classed if count(run.change_classes) > 0

# A named person approved this, and the approval has begun and has not expired. An agent does not approve itself.
approved if {
	run.approval.status == "approved"
	run.approval.covers == true
	is_string(run.approval.approver)
	run.approval.approver != run.agent_id
	is_string(run.approval.approved_at)
	is_string(run.approval.expires_at)
	run.approval.approved_at <= input.time
	input.time < run.approval.expires_at
}
