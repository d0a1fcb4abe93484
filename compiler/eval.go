// eval: OPA's own evaluator, the answer that a compiled policy is compared with.
package main

import (
	"context"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"
)

type evalAnswer struct {
	Results []any `json:"results"` // the value of the query, once per solution: empty when it is undefined
}

func evaluate(req *request) any {
	modules, errs := parseModules(req)
	if len(errs) > 0 {
		return explain(errs...)
	}
	compiler, errs := compileModules(req, modules)
	if len(errs) > 0 {
		return explain(errs...)
	}
	options := []func(*rego.Rego){
		rego.Compiler(compiler),
		rego.Query(req.Query),
		rego.Store(inmem.NewFromObjectWithOpts(dataOf(req), inmem.OptRoundTripOnWrite(false))),
	}
	if req.Input != nil {
		input, err := readInput(req.Input)
		if err != nil {
			return explain(err)
		}
		options = append(options, rego.ParsedInput(input))
	}
	solutions, err := rego.New(options...).Eval(context.Background())
	if err != nil {
		return explain(err)
	}
	return evalAnswer{Results: values(solutions)}
}

func readInput(text []byte) (ast.Value, error) {
	var input any
	if err := util.UnmarshalJSON(text, &input); err != nil {
		return nil, err
	}
	return ast.InterfaceToValue(input)
}

func dataOf(req *request) map[string]any {
	if req.Data == nil {
		return map[string]any{}
	}
	return req.Data
}

func values(solutions rego.ResultSet) []any {
	found := make([]any, 0, len(solutions))
	for _, solution := range solutions {
		found = append(found, solution.Expressions[0].Value)
	}
	return found
}
