// build and check: Rego to WebAssembly through the package behind `opa build`, and the checks alone.
package main

import (
	"context"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/util"
)

type buildAnswer struct {
	Wasm        []byte   `json:"wasm"`
	Entrypoints []string `json:"entrypoints"`
}

func build(req *request) any {
	modules, errs := parseModules(req)
	if len(errs) > 0 {
		return explain(errs...)
	}
	if errs := refuseBeforeBuild(req, modules); len(errs) > 0 {
		return explainBuild(req, modules, errs)
	}
	built, err := compileToWasm(req, modules)
	if err != nil {
		return explainBuild(req, modules, err)
	}
	answer := buildAnswer{Wasm: built.WasmModules[0].Raw}
	for _, resolver := range built.Manifest.WasmResolvers {
		answer.Entrypoints = append(answer.Entrypoints, resolver.Entrypoint)
	}
	return answer
}

// compileToWasm is `opa build -t wasm`: the same input gives the same bytes.
func compileToWasm(req *request, modules map[string]*ast.Module) (*bundle.Bundle, error) {
	source := &bundle.Bundle{Data: req.Data}
	source.SetRegoVersion(ast.RegoV1)
	source.Manifest.Init()
	for _, path := range util.KeysSorted(modules) {
		source.Modules = append(source.Modules, bundle.ModuleFile{
			URL:    path,
			Path:   path,
			Raw:    []byte(req.Modules[path]),
			Parsed: modules[path],
		})
	}
	compiler := compile.New().
		WithCapabilities(req.allowed()).
		WithTarget(compile.TargetWasm).
		WithEntrypoints(req.Entrypoints...).
		WithRegoAnnotationEntrypoints(true).
		WithRegoVersion(ast.RegoV1).
		WithBundle(source)
	if err := compiler.Build(context.Background()); err != nil {
		return nil, err
	}
	return compiler.Bundle(), nil
}

// refuseBeforeBuild finds what `opa build` lets pass: print, names that disarm, and rules in the place of data.
func refuseBeforeBuild(req *request, modules map[string]*ast.Module) ast.Errors {
	errs := append(refusePrint(req, modules), refuseNames(modules)...)
	if len(req.Data) > 0 {
		compiler := ast.NewCompiler()
		compiler.RuleTree = ast.NewRuleTree(ast.NewModuleTree(modules))
		errs = append(errs, ast.CheckPathConflicts(compiler, dataAt(req.Data))...)
	}
	return errs
}

// explainBuild prefers the full list of mistakes: a build stops at the first stage, and at the tenth of a stage.
func explainBuild(req *request, modules map[string]*ast.Module, err error) errorsAnswer {
	if _, errs := compileModules(req, modules); len(errs) > 0 {
		return explain(errs...)
	}
	return explain(err)
}

func check(req *request) any {
	modules, errs := parseModules(req)
	if len(errs) > 0 {
		return explain(errs...)
	}
	_, errs = compileModules(req, modules)
	return explain(errs...)
}
