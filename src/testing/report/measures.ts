/** What was measured beside the tests, for programs; `docs/testing.md` has its members. */
import type { Coverage, FileCoverage, Uncovered } from '../coverage/report.ts'
import type { Mutation } from '../mutation/run.ts'

export function coverageJson({ rules, branches, rego, files }: Coverage): object {
  return {
    ...(rules && { rules }),
    ...(branches && { conditions: branches }),
    ...(rego && { rego_lines: rego }),
    files: files.map(fileOf),
  }
}

function fileOf({ file, language, rules, branches, lines, uncovered }: FileCoverage): object {
  return {
    file,
    language,
    ...(rules && { rules }),
    ...(branches && { conditions: branches }),
    lines,
    uncovered: uncovered.map(uncoveredOf),
  }
}

function uncoveredOf({ line, to, rule, lacks, isPartial }: Uncovered): object {
  return {
    line,
    ...(to !== undefined && { to }),
    ...(rule !== undefined && { rule, in_part: isPartial === true }),
    lacks,
  }
}

export function mutationJson({ mutants, noticed, score, equivalent, survivors }: Mutation): object {
  const shown = survivors.map(({ place, change, witness }) => ({ ...place, change, ...(witness && { witness }) }))
  return { mutants, noticed, score, equivalent, survivors: shown }
}
