# One decision for one call: found by name, never searched for.
#
# A tool that the policy spells out is a row of a table, when nothing has to be asked of its calls, or a package of its
# own. A package that gives no decision is no answer: only names that are spelled out nowhere go on to `others`.
package tollgate

decision := data.tollgate.tables.settled[input.tool] if {
	input.method == "tools/call"
}

else := data.tollgate.tools[input.tool].decision if {
	input.method == "tools/call"
}

else := data.tollgate.others.tools.decision if {
	input.method == "tools/call"
	is_string(input.tool)
	not data.tollgate.tables.named[input.tool]
}

else := data.tollgate.others.resources.decision if {
	input.method == "resources/read"
	is_string(input.resource)
}

else := data.tollgate.others.prompts.decision if {
	input.method == "prompts/get"
	is_string(input.prompt)
}
