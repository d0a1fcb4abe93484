// Capabilities: which built-ins and language features a module may use.
package main

import (
	"encoding/json"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
)

// capabilities reads OPA's own capabilities format, where a built-in may also be given by its name alone.
type capabilities struct {
	ast.Capabilities
}

func (c *capabilities) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, &c.Capabilities); err != nil {
		return err
	}
	for i, builtin := range c.Builtins {
		if builtin == nil {
			return fmt.Errorf("capabilities: built-in number %d is null", i+1)
		}
		if builtin.Decl != nil {
			continue
		}
		known := ast.BuiltinMap[builtin.Name]
		if known == nil {
			return fmt.Errorf("capabilities: unknown built-in `%s`", builtin.Name)
		}
		c.Builtins[i] = known
	}
	return nil
}

// allowed is what the request allows, or everything this OPA knows when it says nothing.
func (r *request) allowed() *ast.Capabilities {
	if r.Capabilities == nil {
		return ast.CapabilitiesForThisVersion()
	}
	return &r.Capabilities.Capabilities
}
