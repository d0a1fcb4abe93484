package tollgate.agent_test

import data.tollgate.agent

test_an_agent_goes_by_its_name if {
	agent.name == "bot" with input as {"principal": {"agent": "bot"}}
}

test_an_agent_without_a_name_is_called_star if {
	every principal in [{}, {"agent": ""}, {"user": "u"}] {
		agent.name == "*" with input as {"principal": principal}
	}
}
