// Modules: Rego text to syntax trees to a checked compiler, with every mistake reported at once.
package main

import (
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
)

// parseModules reads every module and reports the mistakes of all of them together.
func parseModules(req *request) (map[string]*ast.Module, []error) {
	if len(req.Modules) == 0 {
		return nil, []error{fmt.Errorf("no modules")}
	}
	var errs []error
	modules := make(map[string]*ast.Module, len(req.Modules))
	options := ast.ParserOptions{
		RegoVersion:       ast.RegoV1,
		ProcessAnnotation: true,
		Capabilities:      req.allowed(),
	}
	for _, path := range util.KeysSorted(req.Modules) {
		module, err := ast.ParseModuleWithOpts(path, req.Modules[path], options)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		modules[path] = module
	}
	return modules, errs
}

// compileModules runs OPA's semantic checks, and ours.
func compileModules(req *request, modules map[string]*ast.Module) (*ast.Compiler, []error) {
	compiler := newCompiler(req)
	compiler.Compile(modules)
	found := append(compiler.Errors, refusePrint(req, modules)...)
	found = append(found, refuseNames(modules)...)
	if len(found) > 0 {
		return compiler, []error{found}
	}
	return compiler, nil
}

func newCompiler(req *request) *ast.Compiler {
	return ast.NewCompiler().
		SetErrorLimit(errorsMax).
		WithCapabilities(req.allowed()).
		WithPathConflictsCheck(dataAt(req.Data)).
		WithUseTypeCheckAnnotations(true).
		WithEnablePrintStatements(req.allowed().ContainsBuiltin(ast.Print.Name))
}

// refusePrint reports calls of print, which OPA would drop without a word, unless the capabilities name it.
func refusePrint(req *request, modules map[string]*ast.Module) ast.Errors {
	if req.allowed().ContainsBuiltin(ast.Print.Name) {
		return nil
	}
	var errs ast.Errors
	for _, path := range util.KeysSorted(modules) {
		ast.WalkExprs(modules[path], func(expr *ast.Expr) bool {
			if expr.IsCall() && expr.Operator().Equal(ast.Print.Ref()) {
				errs = append(errs, ast.NewError(ast.TypeErr, expr.Loc(), "undefined function %v", ast.Print.Name))
			}
			return false
		})
	}
	return errs
}

// dataAt tells whether the data holds a value at a path, where a rule must not be.
func dataAt(data map[string]any) func([]string) (bool, error) {
	return func(path []string) (bool, error) {
		var value any = data
		for _, key := range path {
			object, ok := value.(map[string]any)
			if !ok {
				return true, nil
			}
			if value, ok = object[key]; !ok {
				return false, nil
			}
		}
		return true, nil
	}
}
