// Names of packages and rules that OPA's WebAssembly back end cannot look up.
package main

import (
	"encoding/json"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
)

// refuseNames reports names that would disarm the whole module without a word.
//
// The back end writes its table of functions as Rego text and reads it back as JSON when the module starts. Rego
// quotes some characters (most control characters, unassigned ones beyond the BMP) in ways that JSON does not know:
// one such name leaves the table empty, and every lookup of a rule by a computed name is undefined.
func refuseNames(modules map[string]*ast.Module) ast.Errors {
	var errs ast.Errors
	for _, path := range util.KeysSorted(modules) {
		module := modules[path]
		errs = append(errs, refuseTerms(module.Package.Path)...)
		for _, rule := range module.Rules {
			errs = append(errs, refuseTerms(rule.Head.Ref())...)
		}
	}
	return errs
}

func refuseTerms(ref ast.Ref) ast.Errors {
	var errs ast.Errors
	for _, term := range ref {
		name, ok := term.Value.(ast.String)
		if ok && !json.Valid([]byte(name.String())) {
			errs = append(errs, ast.NewError("name_refused", term.Location,
				"the name %v cannot be looked up in a WebAssembly module: it has a character that does not print", name))
		}
	}
	return errs
}
