# What a glob over agents is matched with.
package tollgate.agent

# An agent without a name is called `*`.
name := "*" if {
	object.get(input.principal, "agent", "") == ""
}

else := input.principal.agent
