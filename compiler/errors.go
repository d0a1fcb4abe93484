// Errors as data: a code, a sentence and a place, sorted so that the same mistakes read the same every time.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// errorsMax bounds an answer: past this many mistakes nobody reads on.
const errorsMax = 1000

type diagnostic struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	File    string `json:"file"`
	Row     int    `json:"row"`
	Col     int    `json:"col"`
}

type errorsAnswer struct {
	Errors []diagnostic `json:"errors"`
}

func failure(code, message string) errorsAnswer {
	return errorsAnswer{Errors: []diagnostic{{Code: code, Message: message}}}
}

// explain turns whatever OPA returned into diagnostics, in the order of their places.
func explain(errs ...error) errorsAnswer {
	found := []diagnostic{}
	for _, err := range errs {
		found = append(found, diagnose(err)...)
	}
	slices.SortStableFunc(found, byPlace)
	found = slices.Compact(found)
	return errorsAnswer{Errors: found[:min(len(found), errorsMax)]}
}

func diagnose(err error) []diagnostic {
	var many ast.Errors
	if errors.As(err, &many) {
		found := make([]diagnostic, 0, len(many))
		for _, one := range many {
			found = append(found, diagnoseOne(one))
		}
		return found
	}
	var one *ast.Error
	if errors.As(err, &one) {
		return []diagnostic{diagnoseOne(one)}
	}
	return []diagnostic{{Code: "compile_error", Message: err.Error()}}
}

func diagnoseOne(err *ast.Error) diagnostic {
	found := diagnostic{Code: err.Code, Message: err.Message}
	if err.Location != nil {
		found.File, found.Row, found.Col = err.Location.File, err.Location.Row, err.Location.Col
	}
	if name, ok := strings.CutPrefix(err.Message, "undefined function "); ok && ast.BuiltinMap[name] != nil {
		found.Code = "builtin_refused"
		found.Message = fmt.Sprintf("built-in function `%s` is refused: "+
			"a policy may only call deterministic built-ins that are part of its WebAssembly module", name)
	}
	return found
}

func byPlace(a, b diagnostic) int {
	return cmp.Or(
		strings.Compare(a.File, b.File),
		cmp.Compare(a.Row, b.Row),
		cmp.Compare(a.Col, b.Col),
		strings.Compare(a.Message, b.Message),
	)
}
