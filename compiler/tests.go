// test: OPA's test runner and its coverage report.
package main

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
)

type testsAnswer struct {
	Tests    []testResult  `json:"tests"`
	Coverage *cover.Report `json:"coverage,omitempty"`
}

type testResult struct {
	Package    string     `json:"package"`
	Name       string     `json:"name"`
	File       string     `json:"file"`
	Row        int        `json:"row"`
	Outcome    string     `json:"outcome"` // pass, fail, skip or error
	DurationNs int64      `json:"duration_ns"`
	Output     string     `json:"output,omitempty"`
	Error      string     `json:"error,omitempty"`
	FailedAt   *place     `json:"failed_at,omitempty"`
	Cases      []testCase `json:"cases,omitempty"` // of a parameterised test
}

type testCase struct {
	Name     []string `json:"name"`
	Outcome  string   `json:"outcome"`
	FailedAt *place   `json:"failed_at,omitempty"`
}

type place struct {
	File string `json:"file"`
	Row  int    `json:"row"`
	Text string `json:"text"`
	Vars string `json:"vars,omitempty"` // the expression with the values of its variables, where they were asked for
}

func runTests(req *request) any {
	modules, errs := parseModules(req)
	if len(errs) > 0 {
		return explain(errs...)
	}
	if errs := refusePrint(req, modules); len(errs) > 0 {
		return explain(errs)
	}
	run := newTestRun(req, modules)
	var coverage *cover.Cover
	if req.Coverage {
		coverage = cover.New()
		run.runner.SetCoverageQueryTracer(coverage)
	}
	results, err := run.collect()
	if err != nil {
		return explain(err)
	}
	answer := testsAnswer{Tests: run.summarise(results)}
	if coverage != nil {
		report := coverage.Report(modules)
		answer.Coverage = &report
	}
	if slices.ContainsFunc(results, func(result *tester.Result) bool { return result.Fail }) {
		if answer.Tests, err = run.again(answer.Tests); err != nil {
			return explain(err)
		}
	}
	return answer
}

// testRun is one set of modules under OPA's runner.
type testRun struct {
	filter   string
	vars     bool
	compiler *ast.Compiler
	store    storage.Store
	runner   *tester.Runner
}

func newTestRun(req *request, modules map[string]*ast.Module) *testRun {
	run := &testRun{
		filter: req.Run,
		vars:   req.Vars,
		// Operands get names, so that their values can be told.
		compiler: newCompiler(req).WithCapabilities(withTestCases(req.allowed())).WithRewriteTestRules(req.Vars),
		store:    inmem.NewFromObjectWithOpts(dataOf(req), inmem.OptRoundTripOnWrite(false)),
	}
	run.runner = run.newRunner().SetModules(modules)
	return run
}

func (run *testRun) newRunner() *tester.Runner {
	return tester.NewRunner().
		SetCompiler(run.compiler).
		SetStore(run.store).
		SetParallel(1).
		CapturePrintOutput(true).
		Filter(run.filter)
}

// collect runs the tests and returns them in the order of their places.
func (run *testRun) collect() ([]*tester.Result, error) {
	ctx := context.Background()
	txn, err := run.store.NewTransaction(ctx)
	if err != nil {
		return nil, err
	}
	defer run.store.Abort(ctx, txn)
	channel, err := run.runner.RunTests(ctx, txn)
	if err != nil {
		return nil, err
	}
	results := []*tester.Result{}
	for result := range channel {
		results = append(results, result)
	}
	slices.SortFunc(results, func(a, b *tester.Result) int {
		return cmp.Or(
			strings.Compare(a.Location.File, b.Location.File),
			cmp.Compare(a.Location.Row, b.Location.Row),
			strings.Compare(a.Name, b.Name),
		)
	})
	return results, nil
}

// again runs the tests with a trace, which coverage excludes, to find the line that failed.
func (run *testRun) again(first []testResult) ([]testResult, error) {
	run.runner = run.newRunner().EnableTracing(true)
	results, err := run.collect()
	if err != nil {
		return nil, err
	}
	traced := run.summarise(results)
	for i := range traced {
		traced[i].DurationNs = first[i].DurationNs
	}
	return traced, nil
}

func (run *testRun) summarise(results []*tester.Result) []testResult {
	found := make([]testResult, 0, len(results))
	for _, result := range results {
		one := testResult{
			Package:    result.Package,
			Name:       result.Name,
			File:       result.Location.File,
			Row:        result.Location.Row,
			Outcome:    outcomeOf(result),
			DurationNs: result.Duration.Nanoseconds(),
			Output:     string(result.Output),
			Cases:      run.casesOf(result),
		}
		if result.Error != nil {
			one.Error = result.Error.Error()
		}
		if result.Fail {
			one.FailedAt = run.lastFailure(result.Trace)
		}
		found = append(found, one)
	}
	return found
}

func outcomeOf(result *tester.Result) string {
	switch {
	case result.Skip:
		return "skip"
	case result.Error != nil:
		return "error"
	case result.Fail:
		return "fail"
	}
	return "pass"
}

// casesOf lists the leaves of a parameterised test.
func (run *testRun) casesOf(result *tester.Result) []testCase {
	var found []testCase
	for name, sub := range result.SubResults.Iter {
		if len(sub.SubResults) > 0 {
			continue
		}
		one := testCase{Name: slices.Clone(name), Outcome: "pass"}
		if sub.Fail {
			one.Outcome = "fail"
			one.FailedAt = run.lastFailure(sub.Trace)
		}
		found = append(found, one)
	}
	return found
}

// lastFailure finds the expression that failed last, as `opa test` shows it: inside an `every`, not the `every`.
func (run *testRun) lastFailure(trace []*topdown.Event) *place {
	for _, event := range slices.Backward(trace) {
		if event.Op != topdown.FailOp || event.Location == nil || event.QueryID == 0 {
			continue
		}
		expr, isExpr := event.Node.(*ast.Expr)
		if isExpr && expr.IsEvery() {
			continue
		}
		return &place{
			File: event.Location.File,
			Row:  event.Location.Row,
			Text: string(event.Location.Text),
			Vars: run.varsOf(event),
		}
	}
	return nil
}

// varsOf shows the values of variables as `opa test --var-values` does.
func (run *testRun) varsOf(event *topdown.Event) string {
	if !run.vars {
		return ""
	}
	var text strings.Builder
	if err := topdown.PrettyEvent(&text, event, topdown.PrettyEventOpts{PrettyVars: true}); err != nil {
		return ""
	}
	return strings.TrimSpace(text.String())
}

// withTestCases allows the call that the runner itself puts into parameterised tests.
func withTestCases(allowed *ast.Capabilities) *ast.Capabilities {
	if allowed.ContainsBuiltin(ast.InternalTestCase.Name) {
		return allowed
	}
	extended := *allowed
	extended.Builtins = append(slices.Clone(allowed.Builtins), ast.InternalTestCase)
	return &extended
}
