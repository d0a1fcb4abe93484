package tollgate_test

import data.tollgate

call(tool) := {"method": "tools/call", "tool": tool}

test_a_settled_tool_is_a_row_of_the_table if {
	tollgate.decision == "row" with input as call("open") with data.tollgate.tables as {"settled": {"open": "row"}, "named": {"open": true}}
}

test_a_tool_that_is_spelled_out_has_its_own_package if {
	tollgate.decision == "own" with input as call("pay")
		with data.tollgate.tables as {"settled": {}, "named": {"pay": true}}
		with data.tollgate.tools as {"pay": {"decision": "own"}}
}

test_any_other_tool_goes_to_the_rest if {
	tollgate.decision == "rest" with input as call("unknown")
		with data.tollgate.tables as {"settled": {}, "named": {"pay": true}}
		with data.tollgate.tools as {"pay": {"decision": "own"}}
		with data.tollgate.others as {"tools": {"decision": "rest"}}
}

test_a_package_that_gives_no_decision_is_no_answer if {
	not tollgate.decision with input as call("pay")
		with data.tollgate.tables as {"settled": {}, "named": {"pay": true}}
		with data.tollgate.tools as {"pay": {}}
		with data.tollgate.others as {"tools": {"decision": "rest"}}
}

test_a_name_that_is_no_text_gets_no_decision if {
	every name in [null, 7, true, ["pay"], {"pay": 1}] {
		not tollgate.decision with input as call(name)
			with data.tollgate.tables as {"settled": {}, "named": {}}
			with data.tollgate.others as {"tools": {"decision": "rest"}}
	}
}

test_resources_and_prompts_have_chains_of_their_own if {
	others := {"resources": {"decision": "r"}, "prompts": {"decision": "p"}}
	tollgate.decision == "r" with input as {"method": "resources/read", "resource": "file:///a"} with data.tollgate.others as others
	tollgate.decision == "p" with input as {"method": "prompts/get", "prompt": "hello"} with data.tollgate.others as others
}

test_any_other_method_gets_no_decision if {
	not tollgate.decision with input as {"method": "tools/list", "tool": "pay"}
		with data.tollgate.tables as {"settled": {"pay": "row"}, "named": {"pay": true}}
}
